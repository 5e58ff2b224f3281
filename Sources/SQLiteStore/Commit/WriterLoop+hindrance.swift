internal import Base
internal import Push
internal import StoreCore

// What the writer does when nothing can be written: who waits is answered, and what was heard is remembered.

extension WriterLoop {
    /// - Parameter done: how many of the jobs it has come to.
    func undo(_ jobs: [Job], done: Int, after error: SQLiteError) {
        let outcome = transaction.rollback(error)
        decisions.imports.undone()
        settle(jobs, done: done, outcome, after: error)
    }

    /// Answers what was in a transaction that is undone.
    func settle(_ jobs: [Job], done: Int, _ outcome: StoreError, after error: SQLiteError) {
        for job in jobs where job.kind != .read { answer(job, job.fail(outcome)) }
        failHeld()
        // Those that it did not come to; what it had heard is remembered.
        remember(jobs.dropFirst(done))
        report(error)
        for job in jobs where job.kind == .read { decideAlone(job, otherwise: outcome) }
    }

    /// Answers what comes while nothing can be written.
    func refuse(_ jobs: [Job]) {
        for job in jobs where job.kind.isChange { answer(job, job.fail(.unavailable(retryAfter: retryAfter))) }
        remember(jobs[...])
        for job in jobs where job.kind == .read { decideAlone(job, otherwise: .unavailable(retryAfter: retryAfter)) }
    }

    private func remember(_ jobs: ArraySlice<Job>) {
        for job in jobs where job.kind == .fact {
            do throws(SQLiteError) {
                _ = try job.decide(decisions, transaction.now)
            } catch {
                transaction.distrustMemory(after: error)
            }
        }
    }

    /// Answers by what is committed: whoever only looks does not suffer from what cannot be written.
    private func decideAlone(_ job: Job, otherwise failure: StoreError) {
        do throws(SQLiteError) {
            try transaction.restore()
            answer(job, try job.decide(decisions, transaction.now))
        } catch {
            lines.tell("read: \(error)")
            answer(job, job.fail(failure))
        }
    }

    /// Tells callers and operator that nothing can be written.
    private func report(_ error: SQLiteError) {
        if let failure = transaction.failure { return fail(failure) }
        let state: Health = error.effect == .full ? .full : .blocked(reason: error.description)
        if !isHindered || (state == .full) != (health.withLock { $0 } == .full) {
            options.log("the store cannot write: \(error)")
        }
        health.withLock { $0 = state }
        decisions.tables.database.waitForLocks(upTo: Self.shortLockPatience)
        nextTry = MonotonicClock.nanoseconds + Int64(retryPause) * 1_000_000
    }

    func fail(_ reason: String) {
        transaction.fail(reason)
        let state = Health.failed(reason: reason)
        if health.withLock({ $0 }) != state { options.log("the store takes no more changes until a restart: \(reason)") }
        health.withLock { $0 = state }
        failHeld()
    }

    /// Answers who waits for what follows from a change of the directory: a change that has taken effect is not done as a whole,
    /// and those behind it were not begun.
    private func failHeld() {
        if let (begun, _) = unanswered { answer(begun, begun.fail(.unknown)) }
        for job in held { answer(job, job.fail(.unavailable(retryAfter: retryAfter))) }
        unanswered = nil
        held = []
    }

    func heal() {
        guard isHindered else { return }
        health.withLock { $0 = .serving }
        decisions.tables.database.waitForLocks(upTo: Self.lockPatience)
        options.log("the store can write again")
    }
}
