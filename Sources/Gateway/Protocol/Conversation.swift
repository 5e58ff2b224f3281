internal import Base
internal import MQTT
internal import Push

/// Why a device's PUBLISH leads to nothing, with what it said.
enum DiscardCause: Equatable {
    case foreignTopic(String)
    case malformedReceipt(String)
}

/// The protocol of an accepted connection: which packet is allowed, and what answers it. A value: it knows no socket, clock or
/// store.
///
/// Two kinds of packet do not come here: the CONNECT before (``Admission``), and PUBACKs, which the shard takes from the input
/// itself.
struct Conversation {
    /// What a packet leads to.
    enum Action: Equatable {
        case none
        case send(Packet)
        /// Commit it, then ``complete(_:with:)``; at QoS 0 there is no ticket and no answer: ``completeUnanswered()``.
        case commit(DeviceReceipt, ticket: UInt32?)
        /// The PUBLISH led to nothing, for that reason. `answer` goes out at once, unless it waits behind others.
        case discard(answer: Packet?, cause: DiscardCause)
        case close(Ending)
    }

    /// What the client speaks.
    let version: ProtocolVersion
    /// Whether CONNECT asked for a session that ends with the connection: DISCONNECT may not ask for another then.
    private let endsWithConnection: Bool
    private let receiveMaximum: UInt16
    /// PUBLISH packets of a 5.0 client at QoS 1 and 2 whose exchange is not complete.
    private var unanswered: UInt16 = 0
    /// Receipts at QoS 0 that are not committed yet: nobody waits for their answers, but they take room until then.
    private var uncommitted: UInt16 = 0
    private var answers = AnswerQueue()
    /// The largest packet that the client takes, in bytes with its fixed header; `UInt32.max` is no limit. It stands last, where
    /// it takes no room of its own.
    private let largestPacket: UInt32

    /// - Parameters:
    ///   - receiveMaximum: the server's own.
    ///   - maximumPacketSize: the client's.
    ///   - endsWithConnection: whether CONNECT asked for a Session Expiry Interval of 0.
    init(version: ProtocolVersion, receiveMaximum: Int, maximumPacketSize: Int = .max, endsWithConnection: Bool = true) {
        self.version = version
        self.endsWithConnection = endsWithConnection
        largestPacket = UInt32(clamping: maximumPacketSize)
        self.receiveMaximum = UInt16(clamping: receiveMaximum)
    }

    /// Whether so much of the device waits for the store that nothing more should be read.
    var isCongested: Bool { answers.count + Int(uncommitted) >= Int(receiveMaximum) }

    /// Whether the client takes a packet of so many bytes.
    func takes(packetSize: Int) -> Bool { packetSize <= Int(largestPacket) }

    /// Judges a packet from the device.
    mutating func receive(_ packet: Packet) -> Action {
        switch packet {
        case .publish(let publish): return receive(publish)
        case .pingreq: return .send(.pingresp)
        case .pubrel(let release): return reply(.pubcomp(Acknowledgement(packetID: release.packetID)))
        case .pubrec(let received):
            // Nothing is sent at QoS 2, so there is no such message (MQTT 5.0 §3.6.2.1); the exchange is ended all the same.
            return .send(.pubrel(Acknowledgement(packetID: received.packetID, reasonCode: unknownIdentifier)))
        case .puback, .pubcomp: return .none
        case .subscribe(let subscribe): return receive(subscribe)
        case .unsubscribe(let unsubscribe):
            let codes = version == .v5 ? unsubscribe.filters.map(DeviceTopics.reasonCode(forUnsubscribing:)) : []
            return replyIfTaken(.unsuback(Unsuback(packetID: unsubscribe.packetID, reasonCodes: codes)))
        case .disconnect(let disconnect):
            // Once 0, the interval stays 0 (MQTT 5.0 §3.14.2.2.2).
            guard endsWithConnection, disconnect.properties.sessionExpiryInterval ?? 0 > 0 else { return .close(.byPeer) }
            return protocolError(.protocolError, "DISCONNECT with a Session Expiry Interval after CONNECT without")
        case .connect: return protocolError(.protocolError, "a second CONNECT")
        case .auth: return protocolError(.protocolError, "AUTH without an authentication method")
        case .connack, .suback, .unsuback, .pingresp:
            return protocolError(.protocolError, "a packet that only servers send")
        }
    }

    /// A receipt at QoS 0 is committed, or refused, or given up.
    mutating func completeUnanswered() { uncommitted -= 1 }

    /// The receipt with that ticket is committed, or refused.
    /// - Returns: the answers that can go out now, in order.
    mutating func complete(_ ticket: UInt32, with result: ReceiptResult) -> [Packet] {
        let sent = answers.complete(ticket, with: reasonCode(for: result))
        for packet in sent { countCompleted(packet) }
        return sent
    }
}

extension Conversation {
    private func protocolError(_ reason: ReasonCode, _ cause: String) -> Action {
        .close(.disconnect(reason, version, cause: cause, isFault: true))
    }

    private var unknownIdentifier: ReasonCode { version == .v5 ? .packetIdentifierNotFound : .success }

    private mutating func receive(_ subscribe: Subscribe) -> Action {
        guard subscribe.properties.subscriptionIdentifier == nil else {
            return protocolError(.subscriptionIdentifiersNotSupported, "SUBSCRIBE with a subscription identifier")
        }
        // CONNACK has said that there are none (MQTT 5.0 §3.2.2.3.13). In 3.1.1 it is a filter like others, and refused.
        if version == .v5, subscribe.subscriptions.contains(where: { $0.filter.isShared }) {
            return protocolError(.sharedSubscriptionsNotSupported, "SUBSCRIBE to a shared subscription")
        }
        let codes = subscribe.subscriptions.map(DeviceTopics.reasonCode(for:))
        return replyIfTaken(.suback(Suback(packetID: subscribe.packetID, reasonCodes: codes)))
    }

    private mutating func receive(_ publish: Publish) -> Action {
        guard publish.properties.topicAlias == nil else { return protocolError(.topicAliasInvalid, "a topic alias") }
        if version == .v5, publish.qos != .atMostOnce {
            guard unanswered < receiveMaximum else {
                return protocolError(.receiveMaximumExceeded, "more than \(receiveMaximum) unanswered PUBLISH packets")
            }
            unanswered += 1
        }
        guard ExactText(publish.topic) == DeviceTopics.receipt else {
            return discard(publish, .notAuthorized, .foreignTopic(publish.topic))
        }
        let receipt: DeviceReceipt
        do {
            receipt = try DeviceReceipt(decoding: publish.payload)
        } catch {
            return discard(publish, .payloadFormatInvalid, .malformedReceipt("\(error)"))
        }
        guard let packetID = publish.packetID else {
            uncommitted += 1
            return .commit(receipt, ticket: nil)
        }
        return .commit(receipt, ticket: answers.expect(packetID, qos: publish.qos))
    }

    /// A PUBLISH that leads to nothing is acknowledged in 3.1.1: a client with a store would resend it for ever.
    private mutating func discard(_ publish: Publish, _ reason: ReasonCode, _ cause: DiscardCause) -> Action {
        guard let packetID = publish.packetID else { return .discard(answer: nil, cause: cause) }
        let packet = Packet.acknowledgement(of: packetID, qos: publish.qos, version == .v5 ? reason : .success)
        guard case .send(let answer) = reply(packet) else { return .discard(answer: nil, cause: cause) }
        return .discard(answer: answer, cause: cause)
    }

    /// Answers with a packet that is as long as the client's list. One that is larger than the client takes may not be sent
    /// [MQTT-3.1.2-24], and the client would wait for it for ever.
    private mutating func replyIfTaken(_ packet: Packet) -> Action {
        guard takes(packetSize: packet.encodedSize(version: version)) else {
            return protocolError(.packetTooLarge, "an answer exceeds the device's Maximum Packet Size")
        }
        return reply(packet)
    }

    /// Sends an answer, or queues it behind those that wait.
    private mutating func reply(_ packet: Packet) -> Action {
        guard answers.append(packet) else { return .none }
        countCompleted(packet)
        return .send(packet)
    }

    /// Counts an exchange that this answer completes.
    private mutating func countCompleted(_ packet: Packet) {
        switch packet {
        case .puback, .pubcomp: break
        case .pubrec(let answer) where answer.reasonCode.isError: break
        default: return
        }
        if unanswered > 0 { unanswered -= 1 }
    }

    private func reasonCode(for result: ReceiptResult) -> ReasonCode {
        switch result {
        case .counted, .known: .success
        case .refused: version == .v5 ? .notAuthorized : .success
        }
    }
}
