import MQTT
import Push
import Testing

@testable import Gateway

private typealias Effect = Conversation.Effect

private let configuration = GatewayConfiguration()

private func connect(_ version: ProtocolVersion, _ change: (inout Connect) -> Void = { _ in }) -> Packet {
    var connect = Connect(version: version, clientIdentifier: "c", userName: "d1", password: Array("s".utf8))
    change(&connect)
    return .connect(connect)
}

private func bytes(_ packet: Packet, _ version: ProtocolVersion) -> [UInt8] {
    var bytes: [UInt8] = []
    packet.encode(version: version, into: &bytes)
    return bytes
}

/// A conversation whose CONNECT was accepted.
private func opened(_ version: ProtocolVersion, receiveMaximum: Int = 64) -> Conversation {
    var conversation = Conversation(receiveMaximum: receiveMaximum)
    guard case .attach(let admission) = conversation.receive(connect(version)) else {
        Issue.record("CONNECT is not taken")
        return conversation
    }
    _ = conversation.accept(admission, configuration)
    return conversation
}

private func receipt(_ packetID: UInt16?, _ qos: QoS, task: String = "t1") -> Packet {
    .publish(
        Publish(
            topic: "psp/push/receipt", payload: Array("{\"task_id\":\"\(task)\",\"event\":\"opened\"}".utf8), qos: qos,
            packetID: packetID))
}

private func ending(_ effect: Effect) -> Ending? {
    if case .end(let ending) = effect { ending } else { nil }
}

private func disconnect(_ reason: ReasonCode) -> [UInt8] { bytes(.disconnect(Disconnect(reasonCode: reason)), .v5) }

@Suite("CONNECT")
struct ConnectTests {
    @Test("is put to the store with the token, the secret and what the client takes")
    func attach() throws {
        var conversation = Conversation(receiveMaximum: 64)
        let effect = conversation.receive(
            connect(.v5) {
                $0.keepAlive = 30
                $0.properties.receiveMaximum = 5
                $0.properties.maximumPacketSize = 900
            })
        guard case .attach(let admission) = effect else {
            Issue.record("\(effect)")
            return
        }
        #expect(admission.token == DeviceToken(unchecked: "d1"))
        #expect(admission.secret == Array("s".utf8))
        #expect(admission.keepAlive == 30)
        #expect(admission.receiveMaximum == 5)
        #expect(admission.maximumPacketSize == 900)
        #expect(conversation.phase == .deciding)
    }

    @Test("without credentials, or with a user name that cannot be a token, is refused: 0x05 in 3.1.1, 0x87 in 5.0")
    func credentials() {
        let faults: [(inout Connect) -> Void] = [
            {
                $0.userName = nil; $0.password = nil
            }, { $0.password = nil }, { $0.userName = "no token!" }, { $0.userName = "" },
        ]
        for fault in faults {
            for (version, expected) in [(ProtocolVersion.v311, UInt8(0x05)), (.v5, 0x87)] {
                var conversation = Conversation(receiveMaximum: 64)
                let farewell = ending(conversation.receive(connect(version, fault)))?.farewell
                #expect(farewell?.dropFirst(3).first == expected)
                #expect(conversation.phase == .ended)
            }
        }
    }

    @Test("with an authentication method is refused with 0x8C, before its credentials are looked at")
    func authenticationMethod() {
        var conversation = Conversation(receiveMaximum: 64)
        let packet = connect(.v5) {
            $0.properties.authenticationMethod = "SCRAM"
            $0.userName = nil
            $0.password = nil
        }
        #expect(
            ending(conversation.receive(packet))?.farewell == bytes(.connack(Connack(reasonCode: .badAuthenticationMethod)), .v5))
    }

    @Test("of another version is refused in words that its client may understand")
    func version() {
        for (name, level, expected) in [("MQIsdp", UInt8(3), UInt8(0x01)), ("MQTT", 6, 0x84)] {
            var conversation = Conversation(receiveMaximum: 64)
            let effect = conversation.receive(MQTTError.unsupportedVersion(UnsupportedVersion(protocolName: name, level: level)))
            #expect(ending(effect)?.farewell.dropFirst(3).first == expected)
        }
    }

    @Test("what the store refuses is told by CONNACK")
    func refused() {
        let expected: [(AttachError, UInt8, UInt8)] = [
            (.unknownDevice, 0x05, 0x87), (.wrongSecret, 0x05, 0x87), (.takenOver, 0x03, 0x88), (.unavailable, 0x03, 0x88),
        ]
        for (error, v311, v5) in expected {
            for (version, code) in [(ProtocolVersion.v311, v311), (.v5, v5)] {
                var conversation = Conversation(receiveMaximum: 64)
                _ = conversation.receive(connect(version))
                #expect(
                    ending(conversation.refuse(ConnectRefusal(error)))?.farewell.dropFirst(3).first == code, "\(error) \(version)"
                )
            }
        }
    }

    @Test(
        "an empty client identifier: 5.0 gets the token, 3.1.1 with clean session 0 gets 0x02 once its secret is known to be right"
    )
    func clientIdentifier() {
        var conversation = Conversation(receiveMaximum: 64)
        guard case .attach(let admission) = conversation.receive(connect(.v5) { $0.clientIdentifier = "" }),
            case .send(.connack(let connack)) = conversation.accept(admission, configuration)
        else {
            Issue.record("refused")
            return
        }
        #expect(connack.properties.assignedClientIdentifier == "d1")

        var older = Conversation(receiveMaximum: 64)
        let packet = connect(.v311) {
            $0.clientIdentifier = ""
            $0.cleanStart = false
        }
        guard case .attach(let admission) = older.receive(packet) else {
            Issue.record("refused too early")
            return
        }
        #expect(ending(older.accept(admission, configuration))?.farewell == [0x20, 2, 0, 2])
    }

    @Test("CONNACK of 5.0 says what there is not, and Session Expiry Interval 0 only to who asked for more")
    func connack() {
        for (asked, told) in [(UInt32?.none, UInt32?.none), (0, nil), (60, 0), (.max, 0)] {
            var conversation = Conversation(receiveMaximum: 64)
            guard
                case .attach(let admission) = conversation.receive(connect(.v5) { $0.properties.sessionExpiryInterval = asked }),
                case .send(.connack(let connack)) = conversation.accept(admission, configuration)
            else {
                Issue.record("refused")
                return
            }
            var expected = Connack.Properties()
            expected.sessionExpiryInterval = told
            expected.receiveMaximum = 64
            expected.maximumPacketSize = 16_384
            expected.sharedSubscriptionAvailable = false
            expected.subscriptionIdentifiersAvailable = false
            #expect(connack == Connack(sessionPresent: false, reasonCode: .success, properties: expected))
        }
    }

    @Test("a client that takes no packet as large as CONNACK is left without one")
    func tinyPackets() {
        var conversation = Conversation(receiveMaximum: 64)
        guard case .attach(let admission) = conversation.receive(connect(.v5) { $0.properties.maximumPacketSize = 8 }) else {
            Issue.record("refused")
            return
        }
        #expect(ending(conversation.accept(admission, configuration))?.farewell == [])
    }

    @Test("anything else first ends the connection without a word")
    func somethingElse() {
        var conversation = Conversation(receiveMaximum: 64)
        #expect(ending(conversation.receive(MQTTError.packetBeforeConnect(.pingreq)))?.farewell == [])
        #expect(conversation.receive(.pingreq) == .none)
    }
}

@Suite("Packets of an accepted device")
struct OpenConversationTests {
    @Test("a second CONNECT and AUTH are protocol errors: DISCONNECT 0x82 in 5.0, nothing in 3.1.1")
    func protocolErrors() {
        var newer = opened(.v5)
        #expect(ending(newer.receive(connect(.v5)))?.farewell == disconnect(.protocolError))
        var again = opened(.v5)
        #expect(ending(again.receive(.auth(Auth(reasonCode: .reauthenticate))))?.farewell == disconnect(.protocolError))
        var older = opened(.v311)
        #expect(ending(older.receive(connect(.v311)))?.farewell == [])
    }

    @Test(
        "bytes that break a rule end it with the rule's reason code",
        arguments: [Rule.maximumPacketSize, .topicAliasZero, .stringUTF8])
    func malformed(rule: Rule) {
        var newer = opened(.v5)
        let error = MQTTError.violation(rule, packet: .publish, version: .v5)
        #expect(ending(newer.receive(error))?.farewell == disconnect(rule.reasonCode))
        var older = opened(.v311)
        #expect(ending(older.receive(MQTTError.violation(rule, packet: .publish, version: .v311)))?.farewell == [])
    }

    @Test("a topic alias: 0x94")
    func topicAlias() {
        var conversation = opened(.v5)
        var publish = Publish(topic: "psp/push/receipt", payload: [])
        publish.properties.topicAlias = 1
        #expect(ending(conversation.receive(.publish(publish)))?.farewell == disconnect(.topicAliasInvalid))
    }

    @Test("a filter that matches a topic to devices is granted at QoS 1 at most, any other refused")
    func subscribe() {
        var conversation = opened(.v5)
        let filters: [(String, QoS, ReasonCode)] = [
            ("psp/push/#", .exactlyOnce, .grantedQoS1), ("#", .atLeastOnce, .grantedQoS1),
            ("psp/+/msg", .atMostOnce, .grantedQoS0),
            ("psp/push/config", .atLeastOnce, .grantedQoS1), ("psp/push/msg/#", .atLeastOnce, .grantedQoS1),
            ("psp/push/receipt", .atLeastOnce, .notAuthorized), ("other/#", .atMostOnce, .notAuthorized),
            ("$share/g/psp/push/#", .atLeastOnce, .notAuthorized), ("$SYS/#", .atMostOnce, .notAuthorized),
        ]
        let subscriptions = filters.compactMap { text, qos, _ in TopicFilter(text).map { Subscription($0, qos: qos) } }
        let effect = conversation.receive(.subscribe(Subscribe(packetID: 9, subscriptions: subscriptions)))
        #expect(effect == .send(.suback(Suback(packetID: 9, reasonCodes: filters.map(\.2)))))
    }

    @Test("a subscription identifier, which CONNACK said there are none of: 0xA1")
    func subscriptionIdentifier() throws {
        var conversation = opened(.v5)
        let filter = try #require(TopicFilter("#"))
        var subscribe = Subscribe(packetID: 1, subscriptions: [Subscription(filter, qos: .atMostOnce)])
        subscribe.properties.subscriptionIdentifier = 5
        #expect(ending(conversation.receive(.subscribe(subscribe)))?.farewell == disconnect(.subscriptionIdentifiersNotSupported))
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

    @Test("PINGREQ, PUBACK, PUBREL, PUBREC, DISCONNECT")
    func others() {
        var conversation = opened(.v5)
        #expect(conversation.receive(.pingreq) == .send(.pingresp))
        #expect(conversation.receive(.puback(Acknowledgement(packetID: 7))) == .acknowledge(7))
        #expect(conversation.receive(.puback(Acknowledgement(packetID: 8, reasonCode: .quotaExceeded))) == .acknowledge(8))
        #expect(conversation.receive(.pubrel(Acknowledgement(packetID: 4))) == .send(.pubcomp(Acknowledgement(packetID: 4))))
        #expect(
            conversation.receive(.pubrec(Acknowledgement(packetID: 4)))
                == .send(.pubrel(Acknowledgement(packetID: 4, reasonCode: .packetIdentifierNotFound))))
        #expect(conversation.receive(.disconnect(Disconnect())) == .end(.byPeer))
        #expect(conversation.receive(.pingreq) == .none)
    }

    @Test("a PUBLISH to any other topic goes nowhere: 0x87 in 5.0, acknowledged in 3.1.1")
    func otherTopic() {
        for (version, reason) in [(ProtocolVersion.v5, ReasonCode.notAuthorized), (.v311, .success)] {
            var conversation = opened(version)
            for (qos, packetID) in [(QoS.atMostOnce, UInt16?.none), (.atLeastOnce, 1), (.exactlyOnce, 2)] {
                let publish = Publish(topic: "psp/push/msg", payload: [], qos: qos, packetID: packetID)
                let answer = packetID.map { Packet.answer(to: $0, qos: qos, reason) }
                #expect(conversation.receive(.publish(publish)) == .discard(answer: answer, cause: "PUBLISH to psp/push/msg"))
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
        #expect(conversation.receive(other) == .discard(answer: nil, cause: "PUBLISH to elsewhere"))
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
        #expect(ending(newer.receive(receipt(4, .atLeastOnce)))?.farewell == disconnect(.receiveMaximumExceeded))

        var older = opened(.v311, receiveMaximum: 2)
        _ = older.receive(receipt(1, .atLeastOnce))
        #expect(!older.isCongested)
        _ = older.receive(receipt(2, .atLeastOnce))
        #expect(older.isCongested)
        _ = older.complete(0, with: .counted)
        #expect(!older.isCongested)
    }
}
