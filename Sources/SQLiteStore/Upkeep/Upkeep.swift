internal import Base
internal import Push
internal import StoreCore

/// What the writer does between two transactions, a little at a time: it fills the trailing indexes, forgets what is old, and
/// moves the write-ahead log into the file.
final class Upkeep {
    private let decisions: Decisions
    private let transaction: Transaction
    private let checkpointer: Checkpointer
    private let options: SQLiteStore.Options
    private let merge: Merge
    private let summing: Summing
    private let retention: Retention
    private let log = WALObserver()
    private let holds: Locked<HoldTimes>

    /// Whether the log is being searched for what is to be forgotten.
    private(set) var isSweeping = false
    /// When it is to be searched again, in store time.
    private var nextSweep: Int64 = 0
    /// When the next slice of that may be done, in monotonic nanoseconds.
    private var nextSlice: Int64 = 0
    /// The same for a slice of a merge, and for one of the sums.
    private var nextMergeSlice: Int64 = 0
    private var nextSum: Int64 = 0
    /// When the log may be moved again, after it could not be, and when the last attempt was asked for, in monotonic nanoseconds.
    private var nextCheckpoint: Int64 = 0
    private var checkpointBegan: Int64 = 0
    /// Operators' sessions whose time is over, that one slice ends.
    private static let sessionsAtATime = 100
    private static let pauseAfterFailure: Int64 = 20_000_000
    /// What it failed with last: told once.
    private var reported: String?

    init(
        _ decisions: Decisions, _ transaction: Transaction, _ checkpointer: Checkpointer, _ holds: Locked<HoldTimes>,
        _ options: SQLiteStore.Options
    ) throws(SQLiteError) {
        self.decisions = decisions
        self.transaction = transaction
        self.checkpointer = checkpointer
        self.holds = holds
        self.options = options
        merge = Merge(decisions.tables)
        summing = try Summing(decisions.tables)
        retention = Retention(
            decisions.tables, decisions.cursors, decisions.time, lifetime: options.taskRetention,
            auditLifetime: options.auditRetention)
        decisions.tables.database.onCommit(log)
    }

    /// When indexes and sums are brought nearer to the log's end, in monotonic nanoseconds; `nil` where they are there.
    var nextFilling: Int64? {
        let merge = decisions.log.tail.isMerging ? nextMergeSlice : nil
        let sum = summing.upTo < decisions.log.head ? nextSum : nil
        guard let merge, let sum else { return merge ?? sum }
        return min(merge, sum)
    }

    /// Does what is due.
    /// - Parameters:
    ///   - isIdle: whether nobody waits.
    ///   - mayWrite: whether more than moving the log is of use.
    /// - Returns: why nothing can be written any more, where that is so.
    func run(isIdle: Bool, mayWrite: Bool) -> BilingualText? {
        if log.removeBeginning() { checkpointer.logHasBegunAnew() }
        do throws(SQLiteError) {
            // First what may give room: the others may fail for want of it.
            try checkpoint()
            if mayWrite {
                try mergeTail(isIdle: isIdle)
                try sum()
                try sweep()
            }
            reported = nil
            return nil
        } catch {
            // Nobody waits for it, and what was not done is done later: the tail still has what the index lacks.
            if reported != error.description { options.log("housekeeping: \(error)") }
            reported = error.description
            return error.effect == .doubt ? error.text : nil
        }
    }

    private func mergeTail(isIdle: Bool) throws(SQLiteError) {
        let tail = decisions.log.tail
        let waiting = tail.active.count
        let isDue = waiting >= options.tuning.mergeThreshold || (isIdle && waiting > 0 && !tail.isMerging)
        if isDue { tail.seal() }
        // Oldest first, and no later one before it: the mark up to which rows are indexed leaves no gap.
        guard tail.isMerging, let generation = tail.sealed.first else { return }
        let start = MonotonicClock.nanoseconds
        guard start >= nextMergeSlice else { return }
        // Unless it works: one that finds no room is tried again then.
        nextMergeSlice = start + Int64(options.tuning.mergePause) * 1_000_000
        if try merge.advance(generation) { tail.drop(generation) }
        // As much time as a slice took is left to those who wait.
        let now = MonotonicClock.nanoseconds
        nextMergeSlice = now + (now - start)
        note(since: start)
    }

    /// Everybody else had to wait for a piece of work that began then.
    private func note(since start: Int64, steps: Int = 0) {
        let took = MonotonicClock.nanoseconds - start
        holds.withLock { holds in
            holds.record(.upkeep, took)
            holds.mostSteps = max(holds.mostSteps, steps)
        }
    }

    private func sum() throws(SQLiteError) {
        let start = MonotonicClock.nanoseconds
        guard start >= nextSum else { return }
        let pause = Int64(options.tuning.mergePause) * 1_000_000
        nextSum = start + pause
        let isBehind = try summing.advance(to: decisions.log.head, at: transaction.now)
        note(since: start)
        guard isBehind else { return }
        // As with a merge; a few rows at a time are not worth a commit.
        let now = MonotonicClock.nanoseconds
        nextSum = now + 2 * (now - start)
    }

    private func sweep() throws(SQLiteError) {
        let now = transaction.now
        // What changes of the directory have still to do goes by intervals and references that may be due.
        guard isSweeping || now >= nextSweep, decisions.followUps.isEmpty else { return }
        let time = MonotonicClock.nanoseconds
        guard time >= nextSlice else { return }
        nextSlice = time + Int64(options.tuning.sweepPause) * 1_000_000
        do {
            try transaction.begin()
            decisions.budget.begin(allowing: options.tuning.steps)
            let unmerged = decisions.log.tail.firstUnmerged
            isSweeping = try !retention.advance(now: now, before: unmerged, decisions.budget) { decisions.receipts.forget($0) }
            decisions.budget.take(
                StepBudget.write * (try decisions.operatorChanges.endExpired(at: now, limit: Self.sessionsAtATime)))
            // With the cursors by which it decided.
            let written = try transaction.commit(flushing: true)
            note(since: time, steps: decisions.budget.taken + written)
        } catch {
            isSweeping = false
            nextSweep = now + options.sweepInterval
            retention.restart()
            _ = transaction.rollback(error)
            throw error
        }
        if !isSweeping { nextSweep = now + options.sweepInterval }
    }

    private func checkpoint() throws(SQLiteError) {
        switch checkpointer.removeOutcome() {
        case .moved:
            let start = MonotonicClock.nanoseconds
            _ = try decisions.tables.database.checkpoint()
            log.frames = 0
            note(since: start)
        case .held:
            // Looking for what can be moved costs more the longer the log is: a fifth of the time at most goes into it.
            let now = MonotonicClock.nanoseconds
            nextCheckpoint = now + 4 * (now - checkpointBegan)
        case .failed(let error):
            nextCheckpoint = MonotonicClock.nanoseconds + Self.pauseAfterFailure
            throw error
        case nil:
            let now = MonotonicClock.nanoseconds
            // One at a time: a second request would run for nothing, and forget when the first began.
            guard log.frames > options.tuning.checkpointThreshold, now >= nextCheckpoint, !checkpointer.isBusy else { return }
            checkpointBegan = now
            checkpointer.request()
        }
    }
}
