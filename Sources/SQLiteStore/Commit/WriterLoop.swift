internal import Base
internal import Push
internal import StoreCore

/// What the writer's thread does: it takes the jobs that wait, decides them in one transaction, answers them, and tidies up.
final class WriterLoop {
    private let queue: JobQueue
    let decisions: Decisions
    let transaction: Transaction
    private let upkeep: Upkeep
    private let checkpointer: Checkpointer
    private let files: StoreFiles
    let health: Locked<Health>
    private let holds: Locked<HoldTimes>
    let options: SQLiteStore.Options
    let lines: RareLines
    private var group = GroupCommit()
    private var pace = ImportPace()
    /// The same for what follows from changes of the directory.
    private var followUpPace = ImportPace()
    /// A change of the directory that has still something to do, with its answer.
    var unanswered: (job: Job, answer: Answer?)?
    /// Changes of the directory that came after it, in their order.
    var held: [Job] = []
    /// When jobs were last taken, in monotonic nanoseconds, and when any were.
    private var taken: Int64 = 0
    private var lastBusy: Int64 = 0
    /// When it is tried again whether something can be written, in monotonic nanoseconds; only while it could not.
    var nextTry: Int64 = 0
    /// How many jobs were taken out of the transaction that is being done again.
    var faultsAtOnce = 0
    /// The last try has succeeded, and what devices have acknowledged is being written.
    var hasRoom = false
    /// The operator knows that no more acknowledgements are taken.
    var isFullTold = false

    /// Pauses in milliseconds: with facts to write, with a full disk or another program's lock to try again, with a step of the
    /// clock to write, with a wall clock that store time may have to follow, and otherwise.
    private static let pauses = (facts: 50, full: 500, blocked: 100, clock: 10, ahead: 1_000, idle: 5_000)
    /// How long another program's lock is waited for before callers are refused, in milliseconds. Whoever looks into the file may
    /// hold it for a moment.
    static let lockPatience: Int32 = 250
    /// The same while they are refused already, and at the end.
    static let shortLockPatience: Int32 = 10
    private static let lastLockPatience: Int32 = 1_000
    /// A list of more jobs than this gives its memory back.
    private static let usualJobs = 4_096

    init(
        _ queue: JobQueue, _ decisions: Decisions, _ checkpointer: Checkpointer, _ files: StoreFiles,
        _ health: Locked<Health>, _ holds: Locked<HoldTimes>, _ options: SQLiteStore.Options
    ) throws(SQLiteError) {
        self.queue = queue
        self.decisions = decisions
        self.checkpointer = checkpointer
        self.files = files
        self.health = health
        self.holds = holds
        self.options = options
        lines = RareLines(options.log)
        decisions.tables.database.waitForLocks(upTo: Self.lockPatience)
        transaction = Transaction(of: decisions)
        upkeep = try Upkeep(decisions, transaction, checkpointer, holds, options)
    }

    /// - Returns: what could not be written; `nil` where all that was told is in the file.
    func run() -> String? {
        var jobs: [Job] = []
        while queue.drain(into: &jobs, within: pause) {
            if let (callers, time) = group.wait(having: jobs.count) {
                queue.gather(callers - jobs.count, into: &jobs, within: time)
            }
            takeHeld(before: &jobs)
            let start = MonotonicClock.nanoseconds
            taken = start
            decideAll(jobs)
            if jobs.contains(where: { !$0.isImport }) {
                pace.served(after: queue.longestWait, since: start)
                followUpPace.served(after: queue.longestWait, since: start)
            }
            if !jobs.isEmpty { lastBusy = start }
            look()
            giveUpInquiries()
            tidy(isIdle: isIdle(at: start) && decisions.imports.isIdle && decisions.followUps.isEmpty)
            goOnFollowingUp()
            goOnImporting()
            jobs.removeAll(keepingCapacity: jobs.count <= Self.usualJobs)
        }
        // Nobody is left who could make room for those that wait.
        for waiting in decisions.sessions.removeWaiting() {
            decisions.outbox.answer(waiting.loop) { waiting.answer(.failure(.unavailable)) }
        }
        // An import goes on when the store is opened again.
        _ = decisions.imports.answerWaiters(at: .max)
        _ = decisions.inquiries.giveUp(at: .max)
        // Everything that was told is on the disk before the store closes, and who waits for what follows from a change is
        // answered.
        decisions.tables.database.waitForLocks(upTo: Self.lastLockPatience)
        nextTry = 0
        decisions.time.end()
        repeat {
            jobs.removeAll()
            takeHeld(before: &jobs)
            decideAll(jobs, mayFollowUp ? .followingUp(mostSteps) : .nothing, flushing: true)
        } while mayFollowUp || mayTakeHeld || (isHindered && hasRoom)
        files.finish(head: decisions.log.head)
        if let failure = transaction.failure {
            return "it failed (\(failure)); \(decisions.facts.missing) acknowledgements are lost"
        }
        guard decisions.facts.missing > 0 else { return nil }
        return "\(decisions.facts.missing) acknowledgements could not be written and are lost"
    }

    // MARK: Waiting

    /// How long to wait for jobs, in nanoseconds.
    private var pause: Int64 {
        var longest = Int64(longestPause) * 1_000_000
        let now = MonotonicClock.nanoseconds
        if mayTakeHeld { return 0 }
        if transaction.failure == nil { longest = min(longest, max(0, files.nextLook - now)) }
        if mayFollowUp { longest = min(longest, max(0, followUpPace.next - now)) }
        if mayImport { longest = min(longest, max(0, pace.next - now)) }
        if let deadline = decisions.inquiries.nextDeadline { longest = min(longest, max(0, deadline - now)) }
        if let deadline = decisions.imports.nextDeadline { longest = min(longest, max(0, deadline - now)) }
        if mayTidy, let filling = upkeep.nextFilling { longest = min(longest, max(0, filling - now)) }
        return longest
    }

    /// The same by everything but imports, merges and sums, in milliseconds.
    private var longestPause: Int {
        if decisions.outbox.owesGap { return Self.pauses.facts }
        if isHindered { return Int(max(0, nextTry - MonotonicClock.nanoseconds) / 1_000_000) }
        if decisions.facts.hasUnwritten { return Self.pauses.facts }
        if upkeep.isSweeping { return options.tuning.sweepPause }
        if transaction.isClockDue || decisions.time.isDue { return Self.pauses.clock }
        if decisions.time.isAhead { return Self.pauses.ahead }
        return decisions.log.tail.active.count > 0 ? options.tuning.mergePause : Self.pauses.idle
    }

    /// Nothing could be written when it was last tried. It heals by itself.
    var isHindered: Bool {
        switch health.withLock({ $0 }) {
        case .full, .blocked: true
        case .serving, .behind, .failed: false
        }
    }

    private var isSomethingUnwritten: Bool { decisions.facts.hasUnwritten || transaction.isClockDue }

    /// How long until the next try, in milliseconds.
    var retryPause: Int { health.withLock { $0 } == .full ? Self.pauses.full : Self.pauses.blocked }

    private var canWrite: Bool { !isHindered && transaction.failure == nil }

    /// Whether imports have something to do that can be done. Whoever waits for a single change comes first.
    private var mayImport: Bool { !decisions.imports.isIdle && decisions.followUps.isEmpty && held.isEmpty && canWrite }

    /// Whether something follows from a change of the directory that can be done.
    private var mayFollowUp: Bool { !decisions.followUps.isEmpty && canWrite }

    /// Whether changes of the directory have waited long enough for the one before.
    private var mayTakeHeld: Bool { !held.isEmpty && decisions.followUps.isEmpty }

    private func takeHeld(before jobs: inout [Job]) {
        guard mayTakeHeld else { return }
        jobs = held + jobs
        held = []
    }

    // MARK: Deciding

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
    private func decideAll(_ jobs: [Job], _ work: Work = .nothing, flushing: Bool = false) {
        var done = decide(jobs, work, flushing: flushing).jobs
        while done < jobs.count { done += decide(Array(jobs[done...]), flushing: flushing).jobs }
    }

    /// - Returns: how many of the jobs were decided, and how many steps of the work were done.
    private func decide(_ jobs: [Job], _ work: Work = .nothing, flushing: Bool = false) -> (jobs: Int, steps: Int) {
        var done = (jobs: jobs.count, steps: 0)
        transaction.readClocks()
        if isHindered { tryAgain() }
        if isHindered {
            // Between two tries nobody waits for what would fail.
            refuse(jobs)
        } else if work != .nothing || flushing || isSomethingUnwritten || jobs.contains(where: { $0.kind != .session }) {
            done = transact(jobs, work, flushing: flushing)
        }
        if jobs.contains(where: { $0.kind == .session }) { decideSessions(jobs.prefix(done.jobs)) }
        if !transaction.isStale { decisions.organisations.publish(decisions.directory.tree) }
        sendAnswers()
        return done
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
            for job in jobs {
                if mustBreak(before: job, done) { break }
                place = .job(done)
                done += 1
                // Connections are decided beside the transaction.
                if job.kind == .session { continue }
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
        let wait = answered > 0 ? queue.longestWait + (MonotonicClock.nanoseconds - taken) : 0
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
        if job.kind == .directory && !decisions.followUps.isEmpty { unanswered = (job, answer) } else { respond(to: job, answer) }
    }

    /// Everything that follows from a change of the directory is done, or given up: who waits for it is answered, and a line of an
    /// import counts for what it is.
    private func respondFollowedUp() throws(SQLiteError) {
        let isWhole = !decisions.followUp.hasGivenUp
        if let (job, answer) = unanswered {
            respond(to: job, isWhole ? answer : job.fail(.unknown))
        } else if !isWhole {
            try decisions.imports.followUpWasGivenUp()
        }
    }

    /// Answers what was decided; where the job wants it, when every loop has applied it.
    private func respond(to job: Job, _ answer: Answer?) {
        if job.confirmed, let answer { decisions.outbox.confirm(job.loop, answer) } else { self.answer(job, answer) }
    }

    /// What was decided goes to the loops, and what it answers.
    private func sendAnswers() {
        decisions.outbox.send(upTo: decisions.log.head) { decisions.directory.snapshot(at: decisions.log.head) }
    }

    func answer(_ job: Job, _ answer: Answer?) {
        if let answer { decisions.outbox.answer(job.loop, answer) }
    }

    // MARK: Between transactions

    /// Whether nobody has come for a while. That nobody is there now says little: what is due at a time of its own wakes the
    /// thread between any two jobs.
    private func isIdle(at now: Int64) -> Bool {
        now - lastBusy >= Int64(min(options.tuning.mergePause, Self.pauses.facts)) * 1_000_000
    }

    /// Whether the files are still there.
    private func look() {
        guard MonotonicClock.nanoseconds >= files.nextLook, transaction.failure == nil else { return }
        if let loss = files.look(head: decisions.log.head) { fail(loss) }
    }

    /// Answers who has waited long enough for a loop.
    private func giveUpInquiries() {
        guard decisions.inquiries.giveUp(at: MonotonicClock.nanoseconds) else { return }
        sendAnswers()
    }

    /// Whether upkeep can do anything: a full disk may get room by moving the log; another program's lock is in the way of all
    /// of it.
    private var mayTidy: Bool {
        guard transaction.failure == nil else { return false }
        if case .blocked = health.withLock({ $0 }) { return false }
        return true
    }

    private func tidy(isIdle: Bool) {
        guard mayTidy else { return }
        if let reason = upkeep.run(isIdle: isIdle, mayWrite: canWrite) { fail(reason) }
    }

    /// A slice of what follows from a change of the directory, in a transaction of its own.
    private func goOnFollowingUp() {
        let start = MonotonicClock.nanoseconds
        guard mayFollowUp, start >= followUpPace.next else { return }
        let isAwaited = queue.count > 0
        guard options.tuning.mayFollowUp(),
            !followUpPace.yields(at: start, toWaiting: isAwaited, toCheckpoint: checkpointer.isBusy)
        else { return followUpPace.wait(at: start) }
        let (_, steps) = decide([], .followingUp(min(followUpPace.size, mostSteps)), flushing: true)
        followUpPace.finished(steps, since: start)
    }

    /// A slice of an import, in a transaction of its own, while nobody else waits and the disk is not busy with a checkpoint.
    private func goOnImporting() {
        let start = MonotonicClock.nanoseconds
        if decisions.imports.answerWaiters(at: transaction.failure == nil ? start : .max) {
            sendAnswers()
        }
        guard mayImport, start >= pace.next else { return }
        if pace.yields(at: start, toWaiting: queue.count > 0, toCheckpoint: checkpointer.isBusy) { return pace.wait(at: start) }
        let (_, count) = decide([], .importing(min(pace.size, mostSteps)))
        pace.finished(count, since: start)
    }
}
