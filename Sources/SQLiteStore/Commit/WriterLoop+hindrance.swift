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
        for job in jobs where job.kind != .read && job.kind != .session { answer(job, job.fail(outcome)) }
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
        tellFull()
        for job in jobs where job.kind == .read { decideAlone(job, otherwise: .unavailable(retryAfter: retryAfter)) }
    }

    private func remember(_ jobs: ArraySlice<Job>) { for job in jobs where job.kind == .fact { hear(job) } }

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
        let hindered: Health = error.effect == .full ? .full : .blocked(reason: error.text)
        if !isHindered || (hindered == .full) != (state == .full) { options.log("the store cannot write: \(error)") }
        state = hindered
        decisions.tables.database.waitForLocks(upTo: Self.shortLockPatience)
        nextTry = MonotonicClock.nanoseconds + Int64(retryPause) * 1_000_000
        hasRoom = false
    }

    func fail(_ reason: BilingualText) {
        transaction.fail(reason)
        let failed = Health.failed(reason: reason)
        if state != failed { options.log("the store takes no more changes until a restart: \(reason.english)") }
        state = failed
        failHeld()
    }

    /// Answers who waits for what follows from a change of the directory: a change that has taken effect is not done as a whole,
    /// and those behind it were not begun.
    private func failHeld() {
        if let begun = unanswered?.job { answer(begun, begun.fail(.unknown)) }
        for job in held { answer(job, job.fail(.unavailable(retryAfter: retryAfter))) }
        unanswered = nil
        held = []
    }

    /// Looks whether something can be written again. What devices have acknowledged meanwhile is written first, a part at a time,
    /// and everybody is refused until then: after a change that failed, all of it would have to be told once more.
    func tryAgain() {
        guard MonotonicClock.nanoseconds >= nextTry else { return }
        do throws(SQLiteError) {
            try transaction.probe(writing: hasRoom ? mostSteps : 0)
        } catch {
            return report(error)
        }
        hasRoom = true
        nextTry = 0
        if !decisions.facts.hasUnwritten { heal() }
    }

    private func tellFull() {
        guard decisions.facts.isFull != isFullTold else { return }
        isFullTold = decisions.facts.isFull
        guard isFullTold else { return }
        options.log(
            "\(decisions.facts.missing) acknowledgements wait to be written: no more are taken until they are, and devices get "
                + "again what they acknowledge meanwhile")
    }

    private func heal() {
        hasRoom = false
        isFullTold = false
        state = .serving
        decisions.tables.database.waitForLocks(upTo: Self.lockPatience)
        options.log("the store can write again")
    }
}
