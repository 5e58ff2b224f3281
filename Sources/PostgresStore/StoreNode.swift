internal import Base
internal import Libevent
internal import Postgres
internal import Push
internal import StoreCore

/// One process's part of a store that several share: it gathers what its loops ask, has the database decide it, follows the log
/// and tells its loops of it. Everything of it runs on an event loop of its own; its loops' ports hand in from theirs.
///
/// It has four connections, so that what waits for a standby does not hold up what does not: of the lane (whatever takes a
/// position), of the node's own rows (claims, ends of sessions, facts, the lease), of the log's tail, and of pages and reports.
actor StoreNode {
    nonisolated let loop: EventLoop
    nonisolated let clock: StoreClock
    nonisolated let lease: Lease
    nonisolated let options: PostgresStore.Options
    nonisolated let figures = NodeFigures()
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    nonisolated let lane: PostgresConnection
    nonisolated let own: PostgresConnection
    let tail: PostgresConnection
    let reads: PostgresConnection

    /// This process's number; 0 until it has joined.
    var number: Int32 = 0
    var directory = DirectoryState()
    let outbox: Outbox
    var loops = 0
    /// How far the log was read, and what was read is in the outbox.
    var head: UInt64 = 0
    /// Where the log told last that a device, whosever, belongs elsewhere, or that nobody knows.
    var lastMembership: UInt64 = 0

    var pushes = Gatherer<PendingPush>()
    var attachments = Gatherer<Attachment>()
    var detachments = Gatherer<Detachment>()
    var pages = Gatherer<PageRequest>()
    var changes = Gatherer<PendingChange>()
    var receipts = Gatherer<PendingReceipts>()
    var sessions = NodeSessions()
    var facts = NodeFacts()
    var inquiries = NodeInquiries()
    var online = OnlineCounts()
    let longReports = LongReports()
    var audit: NodeAudit
    let bell: Bell
    let factsBell: Bell
    let appliedBell: Bell
    var appliedCalls: AppliedCalls
    let leaseBell: Bell
    let renewedBell: Bell
    let writtenBell: Bell
    let cursorBell: Bell
    let jobBell: Bell
    let watchBell: Bell
    let readyBell: Bell
    let inquiryBell: Bell
    let onlineBell: Bell
    let recordedBell: Bell
    let importBell: Bell
    let importEndBell: Bell
    let sharingBell: Bell
    let gate = AcknowledgementGate()
    var isWritingFacts = false
    /// A call with facts is on its way.
    var isInWriting = false
    /// Why facts could not be written the last time.
    var factsFault = ""
    /// When it is to be looked for what is to be forgotten, in store time.
    var nextSweep: Int64 = 0
    var isSweeping = false
    /// Something is done here that follows from changes of the directory, and what went wrong with it.
    var isFollowingUp = false
    var jobFaults = JobFaults()
    /// What a look-up for the slice that is being decided was answered with, where that was not rows.
    var lookUpFailure: PostgresOutcome?
    /// A call with entries of the audit log is on its way.
    var isRecording = false
    var isToRecord = false
    /// Some could not be written, and are tried again.
    var isToRecordLater = false
    /// When the audit log was swept last, in store time.
    var auditSwept: Int64 = 0
    /// The import that this node works on.
    var importing: RunningImport?
    var importPace = ImportPace()
    /// Imports of whose texts some parts are kept, and others are still to come.
    var comingImports: Set<ImportID> = []
    /// Imports of which nothing more comes, and up to when their parts are looked for, which are to be dropped; `nil`: it was not
    /// answered yet.
    var abandonedImports: [ImportID: ContinuousClock.Instant?] = [:]
    /// How many calls wait for the end of an import.
    var importWaiters = 0
    /// What goes on after the reading of the log that begins next.
    var readings: [AwaitedReading] = []
    var readingsBegun = 0
    /// How far all loops have followed the log, and what had to be written before that is told is written.
    var applied: UInt64 = 0
    /// How far all loops have followed the log, how far somebody waits for it, and up to where what they had acknowledged is
    /// written before it is told.
    var followed: UInt64 = 0
    var awaited: UInt64 = 0
    var unsettled: UInt64 = 0
    var isTellingApplied = false
    var time = NodeTime() {
        didSet { wall.learn(time) }
    }
    nonisolated let wall: DatabaseWall
    /// When the lease ends that was renewed last, in microseconds since the boot.
    var leaseEnd: Int64 = 0
    /// When the renewal was asked for that succeeded last, in microseconds since the boot.
    var renewedAt: Int64 = 0
    /// When it was seen last that commits wait for a standby.
    var missedStandby: ContinuousClock.Instant?
    /// When this node was without a lease last.
    var absence: Absence?
    /// Positions may have jumped into the log's last partition.
    var hasJumped = true
    var isRenewing = false
    var isWatchingLane = false
    var isJoining = false
    /// By what the store made up for its clock's steps when this process came, where other nodes seemed to have died.
    var shiftAtJoin: Int64?
    /// The lease had lapsed and was renewed: how far the log has to be followed before the next term begins.
    var returning: UInt64?
    var lastLine = ""
    var seldom = SeldomLines()
    /// Why it lacks one of its sessions for long, and has others.
    var lack: PostgresLoss?
    /// Renewals wait, as a test has the time pass.
    var holdsRenewals = false
    var isClosing = false
    /// The process has told that it is about to end.
    var isDraining = false
    /// When the database's functions, and what commits wait for, are to be looked at again, on the monotonic clock.
    var nextExamination: Int64 = 0

    init(_ loop: EventLoop, _ options: PostgresStore.Options) {
        self.loop = loop
        self.options = options
        audit = NodeAudit(at: options.node)
        clock = StoreClock(base: 0, boot: options.boot)
        wall = DatabaseWall(boot: options.boot)
        lease = Lease(boot: { BootClock.microseconds })
        outbox = Outbox(of: theLane, backlogLimit: options.backlogLimit)
        bell = Bell(on: loop)
        factsBell = Bell(on: loop)
        appliedBell = Bell(on: loop)
        appliedCalls = AppliedCalls(on: loop)
        leaseBell = Bell(on: loop)
        renewedBell = Bell(on: loop)
        writtenBell = Bell(on: loop)
        cursorBell = Bell(on: loop)
        jobBell = Bell(on: loop)
        watchBell = Bell(on: loop)
        readyBell = Bell(on: loop)
        inquiryBell = Bell(on: loop)
        onlineBell = Bell(on: loop)
        recordedBell = Bell(on: loop)
        importBell = Bell(on: loop)
        importEndBell = Bell(on: loop)
        sharingBell = Bell(on: loop)
        let (bell, leaseBell, figures) = (bell, leaseBell, figures)
        lane = PostgresConnection(on: loop, options.connection("lane", looksUp: true, writes: true)) { event in
            switch event {
            case .state(.lost(let loss)): figures.lost(loss.words)
            // A renewal tells that changes are taken again.
            case .state(.ready): leaseBell.ring()
            default: break
            }
        }
        own = PostgresConnection(on: loop, options.connection("own", looksUp: true, writes: true)) { event in
            if case .state(.ready) = event { leaseBell.ring() }
        }
        reads = PostgresConnection(on: loop, options.connection("reads", looksUp: false))
        tail = PostgresConnection(on: loop, options.connection("tail", looksUp: true, listeningTo: ["psp"])) { event in
            if case .notification = event { bell.ring() }
        }
    }

    /// Whether it takes calls: it has joined, and the database answers.
    var isServing: Bool { number != 0 && !isClosing && reach == .serving }

    /// How it fares: what keeps it from serving, or from taking pushes alone.
    nonisolated var health: Health { health { $0.counts } }

    /// The same for who looks now and then.
    nonisolated var toldHealth: Health { health { $0.isTold } }

    nonisolated private func health(where isHindered: (Hindrance) -> Bool) -> Health {
        let reach = reach
        guard reach == .serving, let hindrance = figures.hindrance, isHindered(hindrance) else { return reach }
        return .blocked(reason: hindrance.reason)
    }

    /// How it stands to the database. Why its lease was not renewed it knows only when it has asked; until then others may go on
    /// without it all the same.
    nonisolated private var reach: Health {
        let known = figures.health
        return known == .serving && lease.term() == nil ? Self.lapsed : known
    }

    private static let lapsed = Health.unreachable(
        reason: BilingualText("本节点的租约已结束，数据库尚未应答续租", "the lease of this node is over, and the database has not renewed it yet"))

    /// Enters the node from any thread, in order.
    nonisolated func enter(_ body: @escaping @Sendable (isolated StoreNode) -> Void) {
        loop.execute { self.assumeIsolated(body) }
    }
}
