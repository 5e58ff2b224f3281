/// A call that waits for its turn, or for its answer.
struct PendingCall {
    typealias Answer = @Sendable (PostgresOutcome) -> Void

    let call: PostgresCall
    /// When it is given up, on the monotonic clock.
    let deadline: Int64
    /// Nil: it was answered before the server did.
    private(set) var answer: Answer?
    private let counts: PostgresCounts
    /// What has come of its answer.
    var reply: Reply

    init(_ call: PostgresCall, deadline: Int64, _ counts: PostgresCounts, answer: @escaping Answer) {
        self.call = call
        self.deadline = deadline
        self.answer = answer
        self.counts = counts
        reply = Reply(mostRows: call.mostRows, mostBytes: call.mostBytes, dropsRows: call.isScript)
    }

    /// Answers it, once.
    mutating func finish(_ outcome: PostgresOutcome) {
        guard let answer else { return }
        if case .unknown = outcome { counts.countUnknown() }
        self.answer = nil
        answer(outcome)
    }
}
