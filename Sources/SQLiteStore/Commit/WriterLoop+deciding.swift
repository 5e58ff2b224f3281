internal import Base
internal import Push
internal import StoreCore

// How the writer decides: in transactions, each of which takes all that waits.

extension WriterLoop {
    /// What a transaction does besides the jobs, for so many steps.
    enum Work: Equatable {
        case nothing
        case importing(Int)
        /// What follows from a change of the directory.
        case followingUp(Int)
    }

    /// The most steps of work for the directory that a transaction begins.
    var mostSteps: Int { options.tuning.steps }

    /// Decides jobs in their order, in as many transactions as what they acknowledge takes.
    func decideAll(_ jobs: [Job], _ work: Work = .nothing, flushing: Bool = false) {
        var done = decide(jobs, work, flushing: flushing).jobs
        while done < jobs.count { done += decide(Array(jobs[done...]), flushing: flushing).jobs }
    }

    /// - Returns: how many of the jobs were decided, and how many steps of the work were done.
    func decide(_ jobs: [Job], _ work: Work = .nothing, flushing: Bool = false) -> (jobs: Int, steps: Int) {
        var done = (jobs: jobs.count, steps: 0)
        transaction.readClocks()
        if isHindered { tryAgain() }
        if isHindered {
            // Between two tries nobody waits for what would fail.
            refuse(jobs)
        } else if work != .nothing || flushing || transaction.isStale || jobs.contains(where: { $0.needsTransaction }) {
            done = transact(jobs, work, flushing: flushing)
        } else {
            done.jobs = hear(jobs)
            if decisions.facts.isDue || decisions.audit.isDue || transaction.isClockDue || transaction.isStale {
                transact([], .nothing, flushing: false)
            }
        }
        if jobs.contains(where: { $0.kind == .session }) { decideSessions(jobs.prefix(done.jobs)) }
        if !transaction.isStale { decisions.organisations.publish(decisions.directory.tree) }
        if done.jobs == jobs.count { queue.finished() }
        sendAnswers()
        return done
    }

    /// Takes what devices have acknowledged. It is written later, with what others tell, so that it needs no transaction.
    /// - Returns: how many of the jobs it has come to: the rest waits until what it has heard is written.
    private func hear(_ jobs: [Job]) -> Int {
        var watch = Stopwatch(noting: holds)
        for (index, job) in jobs.enumerated() where job.kind == .fact {
            if mustBreak(before: job, index) { return index }
            hear(job)
            watch.lap(.call)
        }
        return jobs.count
    }

    /// Takes facts outside of a transaction. Where they cannot be looked at they are remembered, and memory is read anew.
    func hear(_ job: Job) {
        do throws(SQLiteError) {
            _ = try job.decide(decisions, transaction.now)
        } catch {
            transaction.distrustMemory(after: error)
        }
    }

    private func decideSessions(_ jobs: ArraySlice<Job>) {
        for job in jobs where job.kind == .session {
            do throws(SQLiteError) {
                respond(to: job, try job.decide(decisions, transaction.now))
            } catch {
                answer(job, job.fail(.unavailable(retryAfter: retryAfter)))
                lines.tell("session: \(error)")
            }
        }
    }

    @discardableResult
    func transact(_ jobs: [Job], _ work: Work, flushing: Bool) -> (jobs: Int, steps: Int) {
        var done = 0
        var place = Place.outside
        var worked = 0
        var written = 0
        var waiting: [Job] = []
        let before = unanswered
        var watch = Stopwatch(noting: holds)
        do throws(SQLiteError) {
            try transaction.begin()
            decisions.budget.begin(allowing: mostSteps)
            let now = MonotonicClock.nanoseconds
            for job in jobs {
                if mustBreak(before: job, done) { break }
                place = .job(done)
                done += 1
                // Connections are decided beside the transaction.
                if job.kind == .session { continue }
                if queue.isLate(job, at: now) {
                    answer(job, job.fail(.unavailable(retryAfter: retryAfter)))
                    continue
                }
                if mustWait(job) { waiting.append(job) } else { try decide(job) }
                watch.lap(.call)
            }
            place = .work
            worked = try go(on: work)
            place = .outside
            if work != .nothing { watch.lap(.slice) }
            if decisions.followUps.isEmpty { try respondFollowedUp() }
            written = try transaction.commit(flushing: flushing || jobs.prefix(done).contains { $0.flushes })
            watch.lap(.commit)
            decisions.imports.committed()
            if decisions.followUps.isEmpty { (unanswered, decisions.followUp.hasGivenUp) = (nil, false) }
            if !waiting.isEmpty { held += waiting }
        } catch {
            unanswered = before
            if let steps = isolate(jobs, at: place, work, flushing: flushing, after: error) { return (jobs.count, steps) }
            undo(jobs, done: done, after: error)
            (done, worked) = (jobs.count, 0)
            watch.lap(.upkeep)
        }
        let answered = jobs.prefix(done).count { $0.kind != .fact && $0.kind != .session }
        let wait = answered > 0 ? waited + (MonotonicClock.nanoseconds - taken) : 0
        holds.withLock { holds in
            holds.mostSteps = max(holds.mostSteps, decisions.budget.taken + written)
            guard answered > 0 else { return }
            holds.waits.record(wait)
            holds.batches.record(Int64(answered))
        }
        if !jobs.isEmpty { group.committed(answering: answered, waiting: queue.count) }
        return (done, worked)
    }

    /// Whether the transaction has enough to write of what devices have acknowledged: the rest comes with the next.
    private func mustBreak(before job: Job, _ done: Int) -> Bool {
        job.kind == .fact && done > 0 && decisions.facts.isLarge && transaction.failure == nil && faultsAtOnce == 0
    }

    private func go(on work: Work) throws(SQLiteError) -> Int {
        switch work {
        case .nothing: return 0
        case .importing(let steps): return try decisions.imports.advance(by: steps, at: transaction.now)
        case .followingUp(let steps):
            decisions.budget.begin(allowing: steps)
            try decisions.followUp.advance(at: transaction.now)
            return decisions.budget.taken
        }
    }

    /// Whether a change of the directory waits: for one before it, or because the transaction has done enough.
    private func mustWait(_ job: Job) -> Bool {
        guard job.kind == .directory, transaction.failure == nil else { return false }
        // Behind those that wait already: changes keep their order.
        return !held.isEmpty || !decisions.followUps.isEmpty || decisions.budget.isSpent
    }

    private func decide(_ job: Job) throws(SQLiteError) {
        if job.kind.isChange && transaction.failure != nil {
            return answer(job, job.fail(.unavailable(retryAfter: retryAfter)))
        }
        let answer = try job.decide(decisions, transaction.now)
        if job.kind == .directory && !decisions.followUps.isEmpty {
            unanswered = Begun(job, answer)
        } else {
            respond(to: job, answer)
        }
    }

    /// Everything that follows from a change of the directory is done, or given up: who waits for it is answered, and a line of
    /// an import counts for what it is.
    private func respondFollowedUp() throws(SQLiteError) {
        let isWhole = !decisions.followUp.hasGivenUp
        if let unanswered {
            respond(to: unanswered.job, isWhole ? unanswered.answer : unanswered.job.fail(.unknown))
        } else if !isWhole {
            try decisions.imports.followUpWasGivenUp()
        }
    }

    /// Answers what was decided; where the job wants it, when every loop has applied it.
    func respond(to job: Job, _ answer: Answer?) {
        if job.confirmed, let answer { decisions.outbox.confirm(job.loop, answer) } else { self.answer(job, answer) }
    }

    /// What was decided goes to the loops, and what it answers.
    func sendAnswers() {
        decisions.outbox.send(upTo: decisions.log.head) {
            decisions.directory.snapshot(at: decisions.log.head, decisions.operators)
        }
    }

    func answer(_ job: Job, _ answer: Answer?) {
        if let answer { decisions.outbox.answer(job.loop, answer) }
    }
}
