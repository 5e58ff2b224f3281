internal import Push
internal import StoreCore

/// Questions about devices that loops have not answered yet: only the loop of a connection knows what its device has not
/// acknowledged. Writer only; nothing of it outlives the process.
final class Inquiries {
    /// How far a device is, as the writer knows it.
    struct Progress: Sendable {
        let device: UInt32
        let cursor: UInt64
        /// Acknowledged beyond the cursor.
        let beyond: [UInt64]
    }

    /// A caller's question.
    struct Inquiry: Sendable {
        /// The loop that asked.
        let loop: Int
        let token: DeviceToken
        /// When it is answered without the loop of the connection, in monotonic nanoseconds.
        let deadline: Int64
        /// No progress: there is no such device. No number: it was not told in time.
        let answer: @Sendable (Progress?, Unacknowledged?) -> Void
    }

    private let outbox: Outbox
    /// By the connection that is asked about.
    private var waiting: [SessionID: [(inquiry: Inquiry, progress: Progress)]] = [:]

    init(_ outbox: Outbox) { self.outbox = outbox }

    func begin(_ inquiry: Inquiry, _ progress: Progress, of session: SessionID) {
        waiting[session, default: []].append((inquiry, progress))
    }

    /// A loop tells of a session, or it has ended: everybody who asked about it is answered.
    func end(of session: SessionID, _ told: Unacknowledged) {
        for (inquiry, progress) in waiting.removeValue(forKey: session) ?? [] {
            outbox.answer(inquiry.loop) { inquiry.answer(progress, told) }
        }
    }

    /// Whether anybody waits for an answer.
    var isWaitedFor: Bool { !waiting.isEmpty }

    /// When the next of them has waited long enough, in monotonic nanoseconds.
    var nextDeadline: Int64? {
        waiting.isEmpty ? nil : waiting.values.lazy.joined().map(\.inquiry.deadline).min()
    }

    /// Answers those whose time has come.
    /// - Returns: whether there were any.
    func giveUp(at time: Int64) -> Bool {
        guard let nextDeadline, nextDeadline <= time else { return false }
        for (session, inquiries) in waiting {
            for (inquiry, progress) in inquiries where inquiry.deadline <= time {
                outbox.answer(inquiry.loop) { inquiry.answer(progress, nil) }
            }
            let left = inquiries.filter { $0.inquiry.deadline > time }
            waiting[session] = left.isEmpty ? nil : left
        }
        return true
    }
}
