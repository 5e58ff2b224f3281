internal import MQTT
internal import Push

/// One connection's protocol: which packet is allowed when, and what answers it. A value: it knows no socket, clock or store.
struct Conversation {
    enum Phase: Equatable {
        case awaitingConnect
        /// The store decides about the CONNECT; nothing is read meanwhile.
        case deciding
        case open
        case ended
    }

    /// What a packet leads to.
    enum Effect: Equatable {
        case none
        /// Ask the store; then ``accept(_:_:)`` or ``refuse(_:)``.
        case attach(Admission)
        case send(Packet)
        /// The device has acknowledged the message with that packet identifier.
        case acknowledge(UInt16)
        /// Commit it, then ``complete(_:with:)``; at QoS 0 there is no ticket and no answer.
        case commit(DeviceReceipt, ticket: UInt32?)
        /// The PUBLISH led to nothing, for that reason. `answer` goes out at once, unless it waits behind others.
        case discard(answer: Packet?, cause: String)
        case end(Ending)
    }

    private(set) var phase = Phase.awaitingConnect
    /// What the client speaks; meaningful from CONNECT on.
    private(set) var version = ProtocolVersion.v311
    private let receiveMaximum: UInt16
    /// PUBLISH packets of a 5.0 client at QoS 1 and 2 whose exchange is not complete.
    private var unanswered: UInt16 = 0
    private var answers = AnswerQueue()

    init(receiveMaximum: Int) {
        self.receiveMaximum = UInt16(clamping: receiveMaximum)
    }

    /// Whether so many answers wait that nothing more should be read.
    var isCongested: Bool { answers.count >= Int(receiveMaximum) }

    /// Takes a packet from the device.
    mutating func receive(_ packet: Packet) -> Effect {
        switch phase {
        case .awaitingConnect:
            guard case .connect(let connect) = packet else { return end(Ending(cause: "no CONNECT", isFault: true)) }
            return begin(connect)
        case .open: return receiveOpen(packet)
        case .deciding, .ended: return .none
        }
    }

    /// The bytes are no packet, or one that may not be sent.
    mutating func receive(_ error: MQTTError) -> Effect {
        switch error {
        case .unsupportedVersion(let version):
            return end(Ending(farewell: version.refusal, cause: error.description, isFault: true, isRefusal: true))
        case .packetBeforeConnect:
            return end(Ending(cause: error.description, isFault: true))
        case .violation(_, _, let version):
            guard version == .v5 else { return end(Ending(cause: error.description, isFault: true)) }
            // Before CONNACK it is the CONNACK that tells (MQTT 5.0 §4.13.1).
            let ending: Ending =
                phase == .open
                ? .disconnect(error.reasonCode, .v5, cause: error.description, isFault: true)
                : .refuse(error.reasonCode, .v5, cause: error.description, isFault: true)
            return end(ending)
        }
    }

    /// The store has accepted the device.
    mutating func accept(_ admission: Admission, _ configuration: GatewayConfiguration) -> Effect {
        guard !admission.lacksClientIdentifier else { return refuse(ConnectRefusal(.clientIdentifierNotValid)) }
        let connack = Packet.connack(admission.connack(configuration))
        guard admission.maximumPacketSize == .max || connack.encodedSize(version: version) <= admission.maximumPacketSize else {
            // Nothing larger may be sent, not even to say so [MQTT-3.1.2-24].
            return end(Ending(cause: "CONNACK exceeds the device's Maximum Packet Size", isFault: true))
        }
        phase = .open
        return .send(connack)
    }

    /// The CONNECT is refused.
    mutating func refuse(_ refusal: ConnectRefusal) -> Effect {
        let code = String(refusal.reasonCode.rawValue, radix: 16)
        return end(.refuse(refusal.reasonCode, version, cause: "CONNECT refused, 0x\(code)"))
    }

    /// The receipt with that ticket is committed, or refused.
    /// - Returns: the answers that can go out now, in order.
    mutating func complete(_ ticket: UInt32, with result: ReceiptResult) -> [Packet] {
        let sent = answers.complete(ticket, with: answer(to: result))
        for packet in sent { settle(packet) }
        return sent
    }

    /// Nothing more is received.
    mutating func end() { phase = .ended }
}

extension Conversation {
    private mutating func begin(_ connect: Connect) -> Effect {
        version = connect.version
        phase = .deciding
        do {
            return .attach(try Admission(connect))
        } catch {
            return refuse(error)
        }
    }

    private mutating func end(_ ending: Ending) -> Effect {
        phase = .ended
        return .end(ending)
    }

    private mutating func protocolError(_ reason: ReasonCode, _ cause: String) -> Effect {
        end(.disconnect(reason, version, cause: cause, isFault: true))
    }

    private mutating func receiveOpen(_ packet: Packet) -> Effect {
        switch packet {
        case .puback(let acknowledgement): return .acknowledge(acknowledgement.packetID)
        case .publish(let publish): return receive(publish)
        case .pingreq: return .send(.pingresp)
        case .pubrel(let release):
            return answer(.pubcomp(Acknowledgement(packetID: release.packetID)))
        case .pubrec(let received):
            // Nothing is sent at QoS 2, so there is no such message (MQTT 5.0 §3.6.2.1); the exchange is ended all the same.
            return .send(.pubrel(Acknowledgement(packetID: received.packetID, reasonCode: unknownIdentifier)))
        case .pubcomp: return .none
        case .subscribe(let subscribe):
            guard subscribe.properties.subscriptionIdentifier == nil else {
                return protocolError(.subscriptionIdentifiersNotSupported, "SUBSCRIBE with a subscription identifier")
            }
            let codes = subscribe.subscriptions.map(DeviceTopics.answer(to:))
            return answer(.suback(Suback(packetID: subscribe.packetID, reasonCodes: codes)))
        case .unsubscribe(let unsubscribe):
            let codes = version == .v5 ? unsubscribe.filters.map(DeviceTopics.answer(toGivingUp:)) : []
            return answer(.unsuback(Unsuback(packetID: unsubscribe.packetID, reasonCodes: codes)))
        case .disconnect: return end(.byPeer)
        case .connect: return protocolError(.protocolError, "a second CONNECT")
        case .auth: return protocolError(.protocolError, "AUTH without an authentication method")
        case .connack, .suback, .unsuback, .pingresp:
            return protocolError(.protocolError, "a packet that only servers send")
        }
    }

    private var unknownIdentifier: ReasonCode { version == .v5 ? .packetIdentifierNotFound : .success }

    private mutating func receive(_ publish: Publish) -> Effect {
        guard publish.properties.topicAlias == nil else { return protocolError(.topicAliasInvalid, "a topic alias") }
        if version == .v5, publish.qos != .atMostOnce {
            guard unanswered < receiveMaximum else {
                return protocolError(.receiveMaximumExceeded, "more than \(receiveMaximum) unanswered PUBLISH packets")
            }
            unanswered += 1
        }
        guard publish.topic == DeviceTopics.receipt else {
            return discard(publish, .notAuthorized, "PUBLISH to \(publish.topic)")
        }
        let receipt: DeviceReceipt
        do {
            receipt = try DeviceReceipt(decoding: publish.payload)
        } catch {
            return discard(publish, .payloadFormatInvalid, "malformed receipt: \(error)")
        }
        guard let packetID = publish.packetID else { return .commit(receipt, ticket: nil) }
        return .commit(receipt, ticket: answers.expect(packetID, qos: publish.qos))
    }

    /// A PUBLISH that leads to nothing is acknowledged in 3.1.1: a client with a store would resend it for ever.
    private mutating func discard(_ publish: Publish, _ reason: ReasonCode, _ cause: String) -> Effect {
        guard let packetID = publish.packetID else { return .discard(answer: nil, cause: cause) }
        let packet = Packet.answer(to: packetID, qos: publish.qos, version == .v5 ? reason : .success)
        guard case .send(let answer) = answer(packet) else { return .discard(answer: nil, cause: cause) }
        return .discard(answer: answer, cause: cause)
    }

    /// Sends an answer, or queues it behind those that wait.
    private mutating func answer(_ packet: Packet) -> Effect {
        guard answers.append(packet) else { return .none }
        settle(packet)
        return .send(packet)
    }

    /// Counts an exchange that this answer completes.
    private mutating func settle(_ packet: Packet) {
        switch packet {
        case .puback, .pubcomp: break
        case .pubrec(let answer) where answer.reasonCode.isError: break
        default: return
        }
        if unanswered > 0 { unanswered -= 1 }
    }

    private func answer(to result: ReceiptResult) -> ReasonCode {
        switch result {
        case .counted, .known: .success
        case .refused: version == .v5 ? .notAuthorized : .success
        }
    }
}
