internal import Push
internal import StoreCore

/// Begins, commits and undoes, one transaction after the other, and reads the clocks for what is decided in them. Writer only.
final class Transaction {
    private let decisions: Decisions
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let facts: FactBook
    private let time: Timekeeper
    /// Set by an error after which nobody knows what the disk holds: nothing is changed any more, until a restart.
    private(set) var failure: BilingualText?
    /// A transaction was undone, and what it had changed in memory could not be read again from the file yet.
    private(set) var isStale = false
    private var phase = Phase.none

    private enum Phase { case none, deciding, committing }

    init(of decisions: Decisions) {
        self.decisions = decisions
        (log, directory, facts, time) = (decisions.log, decisions.directory, decisions.facts, decisions.time)
    }

    private var database: Database { decisions.tables.database }

    /// The time of what is decided now, in store time: positions and times have one order.
    var now: Int64 { time.now }

    /// Before a transaction, and before what is decided beside one.
    func readClocks() { time.read(after: log.head) }

    /// Whether the file is to be told of a change of the clocks.
    var isClockDue: Bool { failure == nil && time.isChanged }

    func begin() throws(SQLiteError) {
        try restore()
        try database.begin()
        phase = .deciding
    }

    /// Writes what is due and commits. When it returns, everything decided since ``begin()`` is on the disk.
    /// - Parameter flushing: whether the books are written although they are not due.
    /// - Returns: how many steps of the books were written.
    @discardableResult
    func commit(flushing: Bool) throws(SQLiteError) -> Int {
        let isDirectoryDue = directory.isChanged || log.hasBarePositions
        let areFactsDue = failure == nil && (flushing || isDirectoryDue || facts.isDue)
        let areWritten = isDirectoryDue || (areFactsDue && facts.hasUnwritten)
        let steps = areFactsDue ? try facts.write() : 0
        if isDirectoryDue {
            try directory.write()
            try log.write()
        }
        try decisions.followUps.write()
        try decisions.quotas.write()
        if failure == nil {
            try decisions.audit.write()
            try time.write(besides: areWritten)
        }
        phase = .committing
        try database.commit()
        phase = .none
        time.committed(decisions.outbox)
        if areFactsDue { facts.committed() }
        directory.isChanged = false
        decisions.sessions.committed()
        decisions.nonces.committed()
        decisions.quotas.committed()
        decisions.audit.committed()
        log.committed()
        return steps
    }

    /// Looks whether anything can be written, and writes of the books so many steps. Nothing is decided in it: where it fails,
    /// memory stays as it is.
    func probe(writing steps: Int) throws(SQLiteError) {
        try restore()
        do throws(SQLiteError) {
            try database.begin()
            if steps > 0 { try facts.write(atMost: steps) }
            try log.write()
            try database.commit()
        } catch {
            note(error)
            do throws(SQLiteError) { try database.rollback() } catch { note(error) }
            throw error
        }
        if steps > 0 { facts.committed() }
    }

    /// Undoes everything since ``begin()``; also where that failed.
    /// - Returns: what those that wait are to be told.
    func rollback(_ error: SQLiteError) -> StoreError {
        let mayBeDone = phase == .committing && !error.undoesCommit
        decisions.outbox.clear()
        if phase != .none {
            phase = .none
            isStale = true
            log.rollback()
            decisions.nonces.undone()
            decisions.quotas.undone()
            decisions.audit.undone()
            facts.discard()
            time.rolledBack()
            do throws(SQLiteError) {
                try database.rollback()
                try restore()
            } catch {
                note(error)
            }
        }
        note(error)
        return failure != nil || mayBeDone ? .unknown : .unavailable(retryAfter: retryAfter)
    }

    /// Reads again from the file what a transaction that was undone had changed in memory, if that has not been done yet.
    func restore() throws(SQLiteError) {
        guard isStale else { return }
        try directory.reload()
        try decisions.operators.reload()
        decisions.sessions.undone()
        try log.reload()
        try decisions.followUps.reload()
        decisions.followUp.undone()
        facts.discard()
        try facts.replay(at: now)
        isStale = false
    }

    /// An error met outside of a transaction in what memory holds: a part of it may be missing.
    func distrustMemory(after error: SQLiteError) {
        isStale = true
        note(error)
    }

    private func note(_ error: SQLiteError) {
        if case .doubt = error.effect { fail(error.text) }
    }

    /// Nothing is changed any more.
    func fail(_ reason: BilingualText) {
        if failure == nil { failure = reason }
        facts.close()
        decisions.audit.close()
    }
}
