internal import Push
internal import StoreCore

/// Changes of operators and of their sessions, as they were decided, in the file and for the loops.
final class OperatorDecider {
    private let operators: OperatorMemory
    private let directory: DirectoryMemory
    private let time: Timekeeper
    private let feed: Feed

    init(_ operators: OperatorMemory, _ directory: DirectoryMemory, _ time: Timekeeper, _ feed: Feed) {
        self.operators = operators
        self.directory = directory
        self.time = time
        self.feed = feed
    }

    /// - Parameter caller: who calls; `nil` for the installation. Whether it may do that at all was judged before.
    func apply(_ change: OperatorChange, by caller: OperatorNumber?, at now: Int64) throws -> ChangeResult {
        let given = OperatorBook.Circumstances(
            caller: caller, now: now, timeOfDay: time.timeOfDay, nextNumber: try operators.nextNumber(),
            isOrganisation: { [directory] in directory.tree[$0] != nil })
        let writes = try operators.book.decide(change, given)
        try end(writes.ended)
        if let record = writes.written {
            try operators.set(record)
            feed.operatorChanged(record.number, record)
        }
        if let record = writes.removed {
            try operators.remove(record)
            feed.operatorChanged(record.number, nil)
        }
        if let session = writes.begun {
            try operators.begin(session)
            feed.operatorSession(session.key, session)
        }
        try end(writes.withdrawn)
        return writes.result
    }

    /// Ends sessions whose time is over, so many at most.
    /// - Returns: how many.
    func endExpired(at now: Int64, limit: Int) throws(SQLiteError) -> Int {
        let over = operators.book.expiredSessions(at: now, limit: limit)
        try end(over)
        return over.count
    }

    private func end(_ sessions: [OperatorSession]) throws(SQLiteError) {
        for session in sessions {
            try operators.end(session.key)
            feed.operatorSession(session.key, nil)
        }
    }
}
