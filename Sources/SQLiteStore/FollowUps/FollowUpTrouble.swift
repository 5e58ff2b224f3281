/// What of the follow-ups cannot be done, although all else can.
///
/// A transaction that failed and would again is done anew in steps: first the follow-up in which it failed has one of its own;
/// where that fails too, the task at which it did is left out, and the rest goes on. Where it was at none of its tasks, the rest
/// of the follow-up is given up.
struct FollowUpTrouble {
    /// What may be done of a follow-up.
    enum Verdict {
        case goOn
        /// It has a transaction of its own, the next one.
        case wait
        case giveUp(SQLiteError)
    }

    private struct Known {
        let number: Int64
        /// Tasks that are left out.
        var tasks: [UInt64: SQLiteError] = [:]
        /// The rest is given up.
        var end: SQLiteError?
    }

    /// What is being done: a follow-up, which of its tasks, and whether it is the first of its transaction.
    private var doing: (number: Int64, task: UInt64?, isFirst: Bool)?
    private var known: Known?

    /// Whether something was begun and has not ended.
    var isDoing: Bool { doing != nil }

    mutating func begin(_ number: Int64, isFirst: Bool) -> Verdict {
        if let known, known.number == number {
            if !isFirst { return .wait }
            if let error = known.end { return .giveUp(error) }
        }
        doing = (number, nil, isFirst)
        return .goOn
    }

    /// - Parameter task: its position; `nil` between two of them.
    mutating func begin(task: UInt64?) { doing?.task = task }

    mutating func ended() { doing = nil }

    /// Why a task of what is being done is left out.
    func error(in task: UInt64) -> SQLiteError? {
        guard let doing, let known, known.number == doing.number else { return nil }
        return known.tasks[task]
    }

    /// The transaction failed in what is being done. That this is to blame is certain where it was the first.
    mutating func failed(_ error: SQLiteError) {
        guard let failed = doing else { return }
        doing = nil
        var trouble = known.flatMap { $0.number == failed.number ? $0 : nil } ?? Known(number: failed.number)
        if failed.isFirst {
            if let task = failed.task { trouble.tasks[task] = error } else { trouble.end = error }
        }
        known = trouble
    }

    /// A follow-up is done, or given up.
    mutating func forget(_ number: Int64) { if known?.number == number { known = nil } }
}
