internal import MQTT

/// Answers that wait for a receipt's commit, or behind one that does: answers keep the order of what they answer (MQTT 5.0 §4.6).
struct AnswerQueue {
    private enum Answer {
        /// Not known yet; `qos` says whether it is a PUBACK or a PUBREC.
        case waiting(packetID: UInt16, qos: QoS)
        case ready(Packet)
    }

    /// Empty while nothing waits: an idle connection keeps no storage.
    private var answers: [Answer] = []
    /// The ticket of the first answer.
    private var first: UInt32 = 0

    /// How many wait.
    var count: Int { answers.count }

    /// Queues an answer that is known.
    /// - Returns: whether it may be sent at once instead: then it is not queued.
    mutating func append(_ packet: Packet) -> Bool {
        if answers.isEmpty { return true }
        answers.append(.ready(packet))
        return false
    }

    /// Queues the answer to a PUBLISH at QoS 1 or 2 that is not known yet.
    /// - Returns: the ticket for ``complete(_:with:)``.
    mutating func expect(_ packetID: UInt16, qos: QoS) -> UInt32 {
        answers.append(.waiting(packetID: packetID, qos: qos))
        return first &+ UInt32(answers.count - 1)
    }

    /// The answer is known.
    /// - Returns: what may be sent now, in order.
    mutating func complete(_ ticket: UInt32, with reason: ReasonCode) -> [Packet] {
        let index = Int(ticket &- first)
        guard answers.indices.contains(index), case .waiting(let packetID, let qos) = answers[index] else { return [] }
        answers[index] = .ready(Packet.acknowledgement(of: packetID, qos: qos, reason))
        var sent: [Packet] = []
        for case .ready(let packet) in answers.prefix(while: { if case .ready = $0 { true } else { false } }) {
            sent.append(packet)
        }
        first &+= UInt32(sent.count)
        if sent.count == answers.count { answers = [] } else { answers.removeFirst(sent.count) }
        return sent
    }
}

extension Packet {
    /// The first answer to a PUBLISH: PUBACK at QoS 1, PUBREC at QoS 2.
    static func acknowledgement(of packetID: UInt16, qos: QoS, _ reason: ReasonCode) -> Packet {
        let acknowledgement = Acknowledgement(packetID: packetID, reasonCode: reason)
        return qos == .exactlyOnce ? .pubrec(acknowledgement) : .puback(acknowledgement)
    }
}
