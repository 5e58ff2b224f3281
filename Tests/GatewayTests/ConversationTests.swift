import MQTT
import Push
import Testing

@testable import Gateway

private func connect(_ version: ProtocolVersion) -> Packet {
    .connect(Connect(version: version, clientIdentifier: "c", userName: "d1", password: Array("s".utf8)))
}

private func bytes(_ packet: Packet, _ version: ProtocolVersion) -> [UInt8] {
    var bytes: [UInt8] = []
    packet.encode(version: version, into: &bytes)
    return bytes
}

private func opened(_ version: ProtocolVersion, receiveMaximum: Int = 64) -> Conversation {
    Conversation(version: version, receiveMaximum: receiveMaximum)
}

private func receipt(_ packetID: UInt16?, _ qos: QoS, task: String = "t1") -> Packet {
    .publish(
        Publish(
            topic: "psp/push/receipt", payload: Array("{\"task_id\":\"\(task)\",\"event\":\"opened\"}".utf8), qos: qos,
            packetID: packetID))
}

/// The last packet of the connection that an action closes; `nil` for any other action.
private func lastPacket(_ action: Conversation.Action) -> [UInt8]? {
    if case .close(let ending) = action { ending.lastPacket } else { nil }
}

private func disconnect(_ reason: ReasonCode) -> [UInt8] { bytes(.disconnect(Disconnect(reasonCode: reason)), .v5) }

@Suite("Packets of an accepted device")
struct OpenConversationTests {
    @Test("a second CONNECT and AUTH are protocol errors: DISCONNECT 0x82 in 5.0, nothing in 3.1.1")
    func protocolErrors() {
        var newer = opened(.v5)
        #expect(lastPacket(newer.receive(connect(.v5))) == disconnect(.protocolError))
        var again = opened(.v5)
        #expect(lastPacket(again.receive(.auth(Auth(reasonCode: .reauthenticate)))) == disconnect(.protocolError))
        var older = opened(.v311)
        #expect(lastPacket(older.receive(connect(.v311))) == [])
    }

    @Test(
        "bytes that break a rule end it with the rule's reason code",
        arguments: [Rule.maximumPacketSize, .topicAliasZero, .stringUTF8])
    func malformed(rule: Rule) {
        let newer = Ending.violation(.violation(rule, packet: .publish, version: .v5), isAccepted: true)
        #expect(newer.lastPacket == disconnect(rule.reasonCode))
        let older = Ending.violation(.violation(rule, packet: .publish, version: .v311), isAccepted: true)
        #expect(older.lastPacket == [])
        #expect(newer.isFault && older.isFault)
    }

    @Test("a topic alias: 0x94")
    func topicAlias() {
        var conversation = opened(.v5)
        var publish = Publish(topic: "psp/push/receipt", payload: [])
        publish.properties.topicAlias = 1
        #expect(lastPacket(conversation.receive(.publish(publish))) == disconnect(.topicAliasInvalid))
    }

    @Test("a filter that matches a topic to devices is granted at QoS 1 at most, any other refused")
    func subscribe() {
        var conversation = opened(.v5)
        let filters: [(String, QoS, ReasonCode)] = [
            ("psp/push/#", .exactlyOnce, .grantedQoS1), ("#", .atLeastOnce, .grantedQoS1),
            ("psp/+/msg", .atMostOnce, .grantedQoS0),
            ("psp/push/config", .atLeastOnce, .grantedQoS1), ("psp/push/msg/#", .atLeastOnce, .grantedQoS1),
            ("psp/push/receipt", .atLeastOnce, .notAuthorized), ("other/#", .atMostOnce, .notAuthorized),
            ("$SYS/#", .atMostOnce, .notAuthorized),
        ]
        let subscriptions = filters.compactMap { text, qos, _ in TopicFilter(text).map { Subscription($0, qos: qos) } }
        let effect = conversation.receive(.subscribe(Subscribe(packetID: 9, subscriptions: subscriptions)))
        #expect(effect == .send(.suback(Suback(packetID: 9, reasonCodes: filters.map(\.2)))))
    }

    @Test("a shared subscription, which CONNACK said there are none of: 0x9E; in 3.1.1 a filter that is refused")
    func sharedSubscription() throws {
        let filters = try ["#", "$share/g/psp/push/#"].map { try #require(TopicFilter($0)) }
        let subscribe = Packet.subscribe(
            Subscribe(packetID: 1, subscriptions: filters.map { Subscription($0, qos: .atLeastOnce) }))
        var newer = opened(.v5)
        #expect(lastPacket(newer.receive(subscribe)) == disconnect(.sharedSubscriptionsNotSupported))
        var older = opened(.v311)
        #expect(
            older.receive(subscribe) == .send(.suback(Suback(packetID: 1, reasonCodes: [.grantedQoS1, .notAuthorized]))))
    }

    @Test("DISCONNECT with a Session Expiry Interval, after CONNECT with none: 0x82")
    func sessionExpiry() {
        for (endsWithConnection, interval, isFault) in [
            (true, UInt32?(1), true), (true, 0, false), (true, nil, false), (false, 1, false), (false, 0, false),
        ] {
            var conversation = Conversation(version: .v5, receiveMaximum: 64, endsWithConnection: endsWithConnection)
            var packet = Disconnect()
            packet.properties.sessionExpiryInterval = interval
            let last = lastPacket(conversation.receive(.disconnect(packet)))
            #expect(last == (isFault ? disconnect(.protocolError) : []))
        }
    }

    @Test("a subscription identifier, which CONNACK said there are none of: 0xA1")
    func subscriptionIdentifier() throws {
        var conversation = opened(.v5)
        let filter = try #require(TopicFilter("#"))
        var subscribe = Subscribe(packetID: 1, subscriptions: [Subscription(filter, qos: .atMostOnce)])
        subscribe.properties.subscriptionIdentifier = 5
        #expect(lastPacket(conversation.receive(.subscribe(subscribe))) == disconnect(.subscriptionIdentifiersNotSupported))
    }

    @Test("an answer that is larger than the client's packets may be ends the connection: 0x95")
    func answerTooLarge() throws {
        let filter = try #require(TopicFilter("#"))
        let subscriptions = [Subscription](repeating: Subscription(filter, qos: .atLeastOnce), count: 20)
        let packets: [Packet] = [
            .subscribe(Subscribe(packetID: 1, subscriptions: subscriptions)),
            .unsubscribe(Unsubscribe(packetID: 1, filters: [TopicFilter](repeating: filter, count: 20))),
        ]
        // Two bytes of header, two of identifier, one of properties, a code for each filter.
        for packet in packets {
            var roomy = Conversation(version: .v5, receiveMaximum: 64, maximumPacketSize: 25)
            guard case .send = roomy.receive(packet) else {
                Issue.record("it fits")
                return
            }
            var tight = Conversation(version: .v5, receiveMaximum: 64, maximumPacketSize: 24)
            #expect(lastPacket(tight.receive(packet)) == disconnect(.packetTooLarge))
        }
    }

    @Test("UNSUBSCRIBE is answered")
    func unsubscribe() throws {
        let filters = [try #require(TopicFilter("#")), try #require(TopicFilter("other"))]
        var newer = opened(.v5)
        #expect(
            newer.receive(.unsubscribe(Unsubscribe(packetID: 3, filters: filters)))
                == .send(.unsuback(Unsuback(packetID: 3, reasonCodes: [.success, .noSubscriptionExisted]))))
        var older = opened(.v311)
        #expect(
            older.receive(.unsubscribe(Unsubscribe(packetID: 3, filters: filters)))
                == .send(.unsuback(Unsuback(packetID: 3, reasonCodes: []))))
    }

    @Test("PINGREQ, PUBREL, PUBREC, DISCONNECT")
    func others() {
        var conversation = opened(.v5)
        #expect(conversation.receive(.pingreq) == .send(.pingresp))
        #expect(conversation.receive(.pubrel(Acknowledgement(packetID: 4))) == .send(.pubcomp(Acknowledgement(packetID: 4))))
        #expect(
            conversation.receive(.pubrec(Acknowledgement(packetID: 4)))
                == .send(.pubrel(Acknowledgement(packetID: 4, reasonCode: .packetIdentifierNotFound))))
        #expect(conversation.receive(.disconnect(Disconnect())) == .close(.byPeer))
    }

    @Test("a PUBLISH to any other topic goes nowhere: 0x87 in 5.0, acknowledged in 3.1.1")
    func otherTopic() {
        for (version, reason) in [(ProtocolVersion.v5, ReasonCode.notAuthorized), (.v311, .success)] {
            var conversation = opened(version)
            for (qos, packetID) in [(QoS.atMostOnce, UInt16?.none), (.atLeastOnce, 1), (.exactlyOnce, 2)] {
                let publish = Publish(topic: "psp/push/msg", payload: [], qos: qos, packetID: packetID)
                let answer = packetID.map { Packet.acknowledgement(of: $0, qos: qos, reason) }
                #expect(conversation.receive(.publish(publish)) == .discard(answer: answer, cause: .foreignTopic("psp/push/msg")))
            }
        }
    }
}

@Suite("Receipts")
struct ReceiptConversationTests {
    @Test("are answered when they are committed, by PUBACK at QoS 1, by PUBREC at QoS 2, not at QoS 0")
    func answered() throws {
        var conversation = opened(.v5)
        let expected = try DeviceReceipt(decoding: Array("{\"task_id\":\"t1\",\"event\":\"opened\"}".utf8))
        #expect(conversation.receive(receipt(nil, .atMostOnce)) == .commit(expected, ticket: nil))
        #expect(conversation.receive(receipt(1, .atLeastOnce)) == .commit(expected, ticket: 0))
        #expect(conversation.receive(receipt(2, .exactlyOnce)) == .commit(expected, ticket: 1))
        #expect(conversation.complete(0, with: .counted) == [.puback(Acknowledgement(packetID: 1))])
        #expect(conversation.complete(1, with: .known) == [.pubrec(Acknowledgement(packetID: 2))])
        #expect(conversation.receive(.pubrel(Acknowledgement(packetID: 2))) == .send(.pubcomp(Acknowledgement(packetID: 2))))
    }

    @Test("answers keep the order of what they answer")
    func inOrder() throws {
        var conversation = opened(.v5)
        let filter = try #require(TopicFilter("#"))
        _ = conversation.receive(receipt(1, .atLeastOnce))
        _ = conversation.receive(receipt(2, .exactlyOnce))
        let subscribe = Packet.subscribe(Subscribe(packetID: 3, subscriptions: [Subscription(filter, qos: .atLeastOnce)]))
        #expect(conversation.receive(subscribe) == .none)
        let other = Packet.publish(Publish(topic: "elsewhere", payload: [], qos: .atLeastOnce, packetID: 4))
        #expect(conversation.receive(other) == .discard(answer: nil, cause: .foreignTopic("elsewhere")))
        #expect(conversation.receive(.pingreq) == .send(.pingresp))
        #expect(conversation.complete(1, with: .counted) == [])
        #expect(
            conversation.complete(0, with: .counted) == [
                .puback(Acknowledgement(packetID: 1)), .pubrec(Acknowledgement(packetID: 2)),
                .suback(Suback(packetID: 3, reasonCodes: [.grantedQoS1])),
                .puback(Acknowledgement(packetID: 4, reasonCode: .notAuthorized)),
            ])
    }

    @Test("malformed: 0x99 in 5.0, acknowledged in 3.1.1; about another's task: 0x87, or acknowledged")
    func refused() {
        let malformed = Packet.publish(Publish(topic: "psp/push/receipt", payload: [0x7B], qos: .atLeastOnce, packetID: 1))
        for (version, format, authority) in [
            (ProtocolVersion.v5, ReasonCode.payloadFormatInvalid, ReasonCode.notAuthorized), (.v311, .success, .success),
        ] {
            var conversation = opened(version)
            guard case .discard(let answer, _) = conversation.receive(malformed) else {
                Issue.record("taken")
                return
            }
            #expect(answer == .puback(Acknowledgement(packetID: 1, reasonCode: format)))
            guard case .commit(_, let ticket?) = conversation.receive(receipt(2, .atLeastOnce)) else {
                Issue.record("not taken")
                return
            }
            #expect(
                conversation.complete(ticket, with: .refused) == [.puback(Acknowledgement(packetID: 2, reasonCode: authority))])
        }
    }

    @Test("more of them unanswered than the Receive Maximum: 0x93 in 5.0; 3.1.1 is not read until they are")
    func receiveMaximum() {
        var newer = opened(.v5, receiveMaximum: 2)
        _ = newer.receive(receipt(1, .atLeastOnce))
        _ = newer.receive(receipt(2, .exactlyOnce))
        #expect(newer.complete(0, with: .counted).count == 1)
        _ = newer.receive(receipt(3, .atLeastOnce))
        // The exchange at QoS 2 lasts until PUBCOMP.
        _ = newer.complete(1, with: .counted)
        #expect(lastPacket(newer.receive(receipt(4, .atLeastOnce))) == disconnect(.receiveMaximumExceeded))

        var older = opened(.v311, receiveMaximum: 2)
        _ = older.receive(receipt(1, .atLeastOnce))
        #expect(!older.isCongested)
        _ = older.receive(receipt(2, .atLeastOnce))
        #expect(older.isCongested)
        _ = older.complete(0, with: .counted)
        #expect(!older.isCongested)
    }
}
