internal import Base
internal import Push
internal import StoreCore

/// What the writer's thread does: it takes the jobs that wait, decides them in one transaction, answers them, and tidies up.
final class WriterLoop {
    private let queue: JobQueue
    private let decisions: Decisions
    private let transaction: Transaction
    private let upkeep: Upkeep
    private let checkpointer: Checkpointer
    private let health: Locked<Health>
    private let options: SQLiteStore.Options
    private var group = GroupCommit()
    private var pace = ImportPace()

    /// Pauses in milliseconds: with facts to write, with a full disk to try again, and otherwise.
    private static let pauses = (facts: 50, full: 500, idle: 5_000)
    /// A list of more jobs than this gives its memory back.
    private static let usualJobs = 4_096

    init(
        _ queue: JobQueue, _ decisions: Decisions, _ checkpointer: Checkpointer, _ health: Locked<Health>,
        _ options: SQLiteStore.Options
    ) throws(SQLiteError) {
        self.queue = queue
        self.decisions = decisions
        self.checkpointer = checkpointer
        self.health = health
        self.options = options
        transaction = try Transaction(of: decisions, clock: options.clock)
        upkeep = Upkeep(decisions, transaction, checkpointer, options)
    }

    func run() {
        var jobs: [Job] = []
        while queue.drain(into: &jobs, within: pause) {
            if let (callers, time) = group.wait(having: jobs.count) {
                queue.gather(callers - jobs.count, into: &jobs, within: time)
            }
            let start = MonotonicClock.nanoseconds
            decide(jobs)
            if jobs.contains(where: { !$0.isImport }) { pace.served(after: queue.longestWait, since: start) }
            tidy(isIdle: jobs.isEmpty && decisions.imports.isIdle)
            goOnImporting()
            jobs.removeAll(keepingCapacity: jobs.count <= Self.usualJobs)
        }
        // Nobody is left who could make room for those that wait.
        for waiting in decisions.sessions.removeWaiting() {
            decisions.outbox.answer(waiting.loop) { waiting.answer(.failure(.unavailable)) }
        }
        // An import goes on when the store is opened again.
        _ = decisions.imports.answerWaiters(at: .max)
        // Everything that was told is on the disk before the store closes.
        decide([], flushing: true)
    }

    // MARK: Waiting

    /// How long to wait for jobs, in nanoseconds.
    private var pause: Int64 {
        var longest = Int64(longestPause) * 1_000_000
        let now = MonotonicClock.nanoseconds
        if mayImport { longest = min(longest, max(0, pace.next - now)) }
        if let deadline = decisions.imports.nextDeadline { longest = min(longest, max(0, deadline - now)) }
        if let merge = upkeep.nextMerge { longest = min(longest, max(0, merge - now)) }
        return longest
    }

    /// The same by everything but imports and merges, in milliseconds.
    private var longestPause: Int {
        if decisions.facts.hasUnwritten || decisions.outbox.owesGap { return Self.pauses.facts }
        if upkeep.isSweeping { return options.tuning.sweepPause }
        if isFull { return Self.pauses.full }
        return decisions.log.tail.active.count > 0 ? options.tuning.mergePause : Self.pauses.idle
    }

    private var isFull: Bool { health.withLock { $0 } == .full }

    /// Whether imports have something to do that can be done.
    private var mayImport: Bool { !decisions.imports.isIdle && !isFull && transaction.failure == nil }

    // MARK: Deciding

    /// - Parameter slice: how many steps of an import are done with it.
    /// - Returns: how many were.
    @discardableResult
    private func decide(_ jobs: [Job], flushing: Bool = false, importing slice: Int = 0) -> Int {
        var imported = 0
        transaction.readClock()
        let areSessions = jobs.contains { $0.kind == .session }
        let transactional = areSessions ? jobs.filter { $0.kind != .session } : jobs
        if !transactional.isEmpty || slice > 0 || decisions.facts.hasUnwritten || flushing || isFull {
            imported = transact(transactional, flushing: flushing, importing: slice)
        }
        if areSessions { decideSessions(jobs) }
        decisions.outbox.send(upTo: decisions.log.head) { decisions.directory.snapshot(at: decisions.log.head) }
        return imported
    }

    private func decideSessions(_ jobs: [Job]) {
        for job in jobs where job.kind == .session {
            do throws(SQLiteError) {
                respond(to: job, try job.decide(decisions, transaction.now))
            } catch {
                answer(job, job.fail(.unavailable(retryAfter: retryAfter)))
                options.log("session: \(error)")
            }
        }
    }

    private func transact(_ jobs: [Job], flushing: Bool, importing slice: Int) -> Int {
        var done = 0
        var imported = 0
        do throws(SQLiteError) {
            try transaction.begin()
            for job in jobs {
                try decide(job)
                done += 1
            }
            if slice > 0 { imported = try decisions.imports.advance(by: slice, at: transaction.now) }
            try transaction.commit(flushing: flushing || jobs.contains { $0.flushes }, probing: isFull)
            decisions.imports.committed()
            heal()
        } catch {
            undo(jobs, done: done, after: error)
        }
        if !jobs.isEmpty { group.committed(answering: jobs.count { $0.kind != .fact }, waiting: queue.count) }
        return imported
    }

    private func decide(_ job: Job) throws(SQLiteError) {
        if job.kind == .change && transaction.failure != nil {
            return answer(job, job.fail(.unavailable(retryAfter: retryAfter)))
        }
        respond(to: job, try job.decide(decisions, transaction.now))
    }

    /// Answers what was decided; where the job wants it, when every loop has applied it.
    private func respond(to job: Job, _ answer: Answer?) {
        if job.confirmed, let answer { decisions.outbox.confirm(job.loop, answer) } else { self.answer(job, answer) }
    }

    private func answer(_ job: Job, _ answer: Answer?) {
        if let answer { decisions.outbox.answer(job.loop, answer) }
    }

    // MARK: What cannot be written

    private func undo(_ jobs: [Job], done: Int, after error: SQLiteError) {
        let outcome = transaction.rollback(error)
        for job in jobs where job.kind != .read { answer(job, job.fail(outcome)) }
        decisions.imports.undone()
        do throws(SQLiteError) {
            // Facts that it did not come to; those that it had heard are remembered.
            for job in jobs.dropFirst(done) where job.kind == .fact { _ = try job.decide(decisions, transaction.now) }
        } catch {
            transaction.fail(error)
        }
        report(error)
        for job in jobs where job.kind == .read { decideAlone(job, otherwise: outcome) }
    }

    /// Answers by what is committed: whoever only looks does not suffer from what cannot be written.
    private func decideAlone(_ job: Job, otherwise failure: StoreError) {
        do throws(SQLiteError) {
            answer(job, try job.decide(decisions, transaction.now))
        } catch {
            options.log("read: \(error)")
            answer(job, job.fail(failure))
        }
    }

    /// Tells callers and operator that nothing can be written.
    private func report(_ error: SQLiteError) {
        let state: Health = transaction.failure.map { .failed(reason: $0) } ?? .full
        if health.withLock({ $0 }) != state { options.log("the store cannot write: \(error)") }
        health.withLock { $0 = state }
    }

    private func heal() {
        guard isFull else { return }
        health.withLock { $0 = .serving }
        options.log("the store can write again")
    }

    // MARK: Between transactions

    private func tidy(isIdle: Bool) {
        guard transaction.failure == nil else { return }
        if let error = upkeep.run(isIdle: isIdle) {
            transaction.fail(error)
            report(error)
        }
    }

    /// A slice of an import, in a transaction of its own, while nobody else waits and the disk is not busy with a checkpoint.
    private func goOnImporting() {
        let start = MonotonicClock.nanoseconds
        if decisions.imports.answerWaiters(at: transaction.failure == nil ? start : .max) {
            decisions.outbox.send(upTo: decisions.log.head) { decisions.directory.snapshot(at: decisions.log.head) }
        }
        guard mayImport, start >= pace.next else { return }
        if pace.yields(at: start, toWaiting: queue.count > 0, toCheckpoint: checkpointer.isBusy) { return pace.wait(at: start) }
        let count = decide([], importing: pace.size)
        pace.finished(count, since: start)
    }
}
