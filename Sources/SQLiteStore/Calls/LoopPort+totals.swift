internal import Base
internal import Push
internal import StoreCore

// Statistics: short ones beside other short reports, long ones on a thread of their own.

extension LoopPort {
    /// Tasks that are looked at beside other reports, and in one slice of a long answer.
    private static let shortSlice = 500
    private static let longSlice = 5_000

    func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        var answer = try await begin(app, tag, from ?? 0, to ?? Int64.max)
        if !answer.isDone {
            guard store.longReports.begin(of: app) else { throw .refused(Refusal(.rateLimited)) }
            defer { store.longReports.end(of: app) }
            while !answer.isDone {
                answer = try await advanced(answer)
                if answer.counted > LongReports.mostTasks { throw .refused(Refusal(.invalidValue, field: "from")) }
            }
        }
        return (answer.totals.tasks, answer.totals.counts)
    }

    /// Everything that was told before, and what has expired, is summed; then whole hours are taken, and a few tasks looked at.
    private func begin(
        _ app: AppKey, _ tag: ExactText, _ from: Int64, _ to: Int64
    ) async throws(StoreError) -> TotalsReader.Progress {
        var time: Int64?
        while true {
            let settled = try await ask(flushes: true) { decisions, now throws(SQLiteError) in
                (now: now, isWritten: try decisions.settleTotals(at: now))
            }
            let now = time ?? settled.now
            time = now
            let question = TotalsReader.Question(app: app, tag: tag, from: from, to: to, now: now)
            let begun = try await read(store.reports) { context throws(SQLiteError) in
                try context.reading { view throws(SQLiteError) -> TotalsReader.Progress? in
                    // Where nothing can be written, what has expired meanwhile stays summed as pending.
                    if settled.isWritten, try context.tables.totals.hasDue(at: now) { return nil }
                    let reader = TotalsReader(context: context)
                    var begun = try reader.begin(question, view)
                    try reader.advance(&begun, limit: Self.shortSlice, view)
                    return begun
                }
            }
            if let begun { return begun }
        }
    }

    /// A slice of a long answer.
    private func advanced(_ answer: TotalsReader.Progress) async throws(StoreError) -> TotalsReader.Progress {
        try await read(store.statistics) { context throws(SQLiteError) in
            try context.reading { view throws(SQLiteError) in
                var answer = answer
                try TotalsReader(context: context).advance(&answer, limit: Self.longSlice, view)
                return answer
            }
        }
    }
}

extension Decisions {
    /// Sums what has expired as such, or the first of it: all callers of a transaction together as much as its budget allows.
    /// - Returns: whether it could be written.
    fileprivate func settleTotals(at now: Int64) throws(SQLiteError) -> Bool {
        guard facts.isWritable, tables.database.inTransaction else { return false }
        guard !budget.isSpent, try tables.totals.hasDue(at: now) else { return true }
        let limit = max(1, budget.left / TotalTable.expirySteps)
        budget.take(TotalTable.expirySteps * (try tables.totals.expire(at: now, limit: limit, tables.messages.stretches)))
        return true
    }
}
