internal import Push
internal import StoreCore

/// Begins, commits and undoes, one transaction after the other, and reads the clock for what is decided in them. Writer only.
final class Transaction {
    private let decisions: Decisions
    private let clock: @Sendable () -> Int64
    /// The time of what is decided now, in Unix milliseconds: read once a transaction, and never behind an earlier one, so that
    /// positions and times have one order.
    private(set) var now: Int64
    /// Set by an input/output error: nothing is changed any more, until a restart.
    private(set) var failure: String?

    init(of decisions: Decisions, clock: @escaping @Sendable () -> Int64) throws(SQLiteError) {
        self.decisions = decisions
        self.clock = clock
        now = try decisions.tables.messages.newestTime() ?? 0
    }

    private var database: Database { decisions.tables.database }

    func readClock() { now = max(now, clock()) }

    func begin() throws(SQLiteError) {
        readClock()
        try database.statement("BEGIN").run()
    }

    /// Writes what is due and commits. When it returns, everything decided since ``begin()`` is on the disk.
    /// - Parameters:
    ///   - flushing: whether the books are written although they are not due.
    ///   - probing: whether something is written in any case, to learn whether the disk has room again.
    func commit(flushing: Bool, probing: Bool = false) throws(SQLiteError) {
        let (log, directory, facts) = (decisions.log, decisions.directory, decisions.facts)
        let isDirectoryDue = directory.isChanged || log.hasBarePositions
        let areFactsDue = failure == nil && (flushing || isDirectoryDue || facts.isDue)
        if areFactsDue { try facts.write() }
        if isDirectoryDue || (probing && failure == nil) {
            try directory.write()
            try log.write()
        }
        try database.statement("COMMIT").run()
        if areFactsDue { facts.committed() }
        directory.isChanged = false
        log.committed()
    }

    /// Undoes everything since ``begin()``.
    /// - Returns: what those that wait are to be told.
    func rollback(_ error: SQLiteError) -> StoreError {
        decisions.outbox.clear()
        decisions.log.rollback()
        decisions.facts.discard()
        do {
            if database.inTransaction { try database.statement("ROLLBACK").run() }
            try decisions.directory.reload()
            try decisions.log.reload()
            try decisions.facts.replay(at: now)
        } catch {
            fail(error)
            return .unknown
        }
        if error.isFull { return .unavailable(retryAfter: retryAfter) }
        fail(error)
        return .unknown
    }

    /// Nothing is changed any more.
    func fail(_ error: SQLiteError) {
        if failure == nil { failure = error.description }
        decisions.facts.close()
    }
}
