internal import Base
internal import Push
internal import StoreCore

/// What the writer's thread does: it takes the jobs that wait, decides them in one transaction, answers them, and tidies up.
///
/// How it decides, how long it sleeps, what it does between two transactions, and what where nothing can be written or something
/// is at fault, stands in a file each.
final class WriterLoop {
    let queue: JobQueue
    let decisions: Decisions
    let transaction: Transaction
    let upkeep: Upkeep
    let checkpointer: Checkpointer
    let files: StoreFiles
    let holds: Locked<HoldTimes>
    let options: SQLiteStore.Options
    let lines: RareLines
    var group = GroupCommit()
    /// How much of an import is done at a time, and of what follows from changes of the directory.
    var pace = ImportPace()
    var followUpPace = ImportPace()
    /// When jobs were last taken, in monotonic nanoseconds, and when any were.
    private(set) var taken: Int64 = 0
    /// How long the first of them had waited, in nanoseconds.
    private(set) var waited: Int64 = 0
    var lastBusy: Int64 = 0

    /// A change of the directory that has still something to do, with its answer.
    var unanswered: Begun?
    /// Changes of the directory that came after it, in their order.
    var held: [Job] = []

    /// A class: each transaction looks whether there is one.
    final class Begun {
        let job: Job
        let answer: Answer?

        init(_ job: Job, _ answer: Answer?) { (self.job, self.answer) = (job, answer) }
    }

    /// How it fares; whoever asks is told by ``health``.
    var state = Health.serving { didSet { health.withLock { $0 = state } } }
    private let health: Locked<Health>
    /// When it is tried again whether something can be written, in monotonic nanoseconds; only while it could not.
    var nextTry: Int64 = 0
    /// The last try has succeeded, and what devices have acknowledged is being written.
    var hasRoom = false
    /// The operator knows that no more acknowledgements are taken.
    var isFullTold = false
    /// How many jobs were taken out of the transaction that is being done again.
    var faultsAtOnce = 0

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
            (taken, waited) = (start, queue.longestWait)
            decideAll(jobs)
            if jobs.contains(where: { !$0.isImport }) {
                pace.served(after: waited, since: start)
                followUpPace.served(after: waited, since: start)
            }
            if !jobs.isEmpty { lastBusy = start }
            goOnBetweenTransactions(since: start)
            jobs.removeAll(keepingCapacity: jobs.count <= Self.usualJobs)
        }
        return end()
    }

    /// Nobody asks any more. Everything that was told is on the disk when it returns, and everybody who waits is answered.
    private func end() -> String? {
        // Nobody is left who could make room for those that wait.
        for waiting in decisions.sessions.removeWaiting() {
            decisions.outbox.answer(waiting.loop) { waiting.answer(.failure(.unavailable)) }
        }
        // An import goes on when the store is opened again.
        _ = decisions.imports.answerWaiters(at: .max)
        _ = decisions.inquiries.giveUp(at: .max)
        decisions.tables.database.waitForLocks(upTo: Self.lastLockPatience)
        nextTry = 0
        decisions.time.end()
        decisions.audit.announceEnd()
        repeat {
            var jobs: [Job] = []
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

    // MARK: What may be done

    /// Nothing could be written when it was last tried. It heals by itself.
    var isHindered: Bool {
        switch state {
        case .full, .blocked: true
        case .serving, .behind, .unreachable, .failed: false
        }
    }

    var canWrite: Bool { !isHindered && transaction.failure == nil }

    /// Whether imports have something to do that can be done. Whoever waits for a single change comes first.
    var mayImport: Bool { !decisions.imports.isIdle && decisions.followUps.isEmpty && held.isEmpty && canWrite }

    /// Whether something follows from a change of the directory that can be done.
    var mayFollowUp: Bool { !decisions.followUps.isEmpty && canWrite }

    /// Whether changes of the directory have waited long enough for the one before.
    var mayTakeHeld: Bool { !held.isEmpty && decisions.followUps.isEmpty }

    private func takeHeld(before jobs: inout [Job]) {
        guard mayTakeHeld else { return }
        jobs = held + jobs
        held = []
    }
}
