internal import Base
public import Libevent
public import Postgres
public import Push
internal import StoreCore
internal import Synchronization

/// A store on PostgreSQL that several nodes share. This is one node's part of it: a loop of its own and four connections.
public final class PostgresStore: Store {
    /// How a node's part of it behaves.
    public struct Options: Sendable {
        /// Where the database is, and how a connection to it behaves.
        public var database: PostgresOptions
        /// The node's name: no two that live have the same.
        public var node: NodeName
        /// What runs there, for operators.
        public var version: String
        /// How much an app may push that has no quota of its own.
        public var usualQuota = PushQuota()
        /// How long a call may take until it is answered as unknown.
        public var patience = Duration.seconds(5)
        /// A loop that is further behind than this, in bytes, is told to read the log anew instead of more.
        public var backlogLimit = 8 << 20
        /// How often the log is looked at while something happens.
        public var pause = Duration.milliseconds(3)
        /// How often while nothing does, where no bell was heard.
        public var rest = Duration.milliseconds(250)
        /// How long a node that has some of its sessions, and is refused the others, goes on asking until it gives back those
        /// that it has, and for how long: at least so long, and at most twice; while it has its lease it asks three times as
        /// long. Longer than connections rest between two attempts.
        var sharing = Duration.seconds(4)
        /// Microseconds since the boot.
        public var boot: @Sendable () -> Int64 = { BootClock.microseconds }
        /// How long an ended task is kept, in milliseconds.
        public var taskRetention: Int64 = 30 * 24 * 3_600_000
        /// How often it is looked for what is to be forgotten, in milliseconds of store time.
        public var sweepInterval: Int64 = 3_600_000
        /// How many positions a partition of the log has.
        var partitionSize: Int64 = 1 << 24
        /// How often it is written how far connected devices are.
        public var cursorPause = Duration.seconds(60)
        /// Whether a slice of what follows from a change of the directory may be done now.
        var mayFollowUp: @Sendable () -> Bool = { true }
        /// How long audit entries and counts of refusals are kept, in milliseconds.
        public var auditRetention: Int64 = 180 * 24 * 3_600_000
        /// Lines that an operator should read.
        public var log: @Sendable (String) -> Void = { _ in }

        /// The defaults.
        public init(_ database: PostgresOptions, node: NodeName, version: String) {
            self.database = database
            self.node = node
            self.version = version
        }

        /// - Parameter looksUp: whether its calls do nothing but look a bounded number of rows up by their keys: what the planner
        ///   thinks of tables that were small a moment ago must not have it read them whole.
        /// - Parameter writes: whether its calls wait for the standby. One that is late is not cancelled, since it would be
        ///   committed here alone; who only waits for it ends by itself, when the server finds that nobody waits for its answer.
        func connection(_ purpose: String, looksUp: Bool, writes: Bool = false, listeningTo channels: [String] = [])
            -> PostgresOptions
        {
            var options = database
            // Nothing that a node asks needs a table as a whole that grows. And no role's time limit ends a commit's wait for the
            // standby: what it has written would be seen by everybody at once.
            options.settings += [("jit", "off"), ("enable_seqscan", "off"), ("statement_timeout", "0")]
            if looksUp {
                options.settings += [
                    ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("plan_cache_mode", "force_generic_plan"),
                ]
            }
            if writes {
                options.settings.append(("client_connection_check_interval", "1s"))
                options.cancels = false
            }
            options.applicationName = "psp \(node) \(purpose)"
            options.channels = channels
            return options
        }
    }

    private let thread: StoreThread
    let node: StoreNode

    /// Begins to look for the database, and goes on until it is closed: a store that has none is unavailable.
    public init(_ options: Options) throws(LibeventError) {
        thread = try StoreThread()
        node = StoreNode(thread.loop, options)
        node.enter { $0.begin() }
    }

    /// The version of the schema that this program brings a database to.
    public static var schemaVersion: Int { Schema.version }

    /// How many sessions with the database so many nodes hold, and how many it should have room for (docs/cluster.md, "Set up"):
    /// some more while sessions are made anew, for whoever looks, and for other programs.
    public static func connections(of nodes: Int) -> (held: Int, wanted: Int) { (4 * nodes, 6 * nodes + 20) }

    /// Brings the database's schema to the version that this program was built for: in one transaction, and nothing where it has
    /// it.
    /// - Returns: the version from which it came; 0: there was nothing.
    /// - Throws: ``MigrationFailure``; also where no host answers in its first attempt.
    @discardableResult
    public static func migrate(_ database: PostgresOptions) async throws -> Int {
        try await ShortConnection.with(database) { try await SchemaMigration(connection: $0).run() }
    }

    /// A loop's own port. One a loop.
    public func port(for mailbox: any Mailbox) -> any StorePort { NodePort(node, on: thread, mailbox) }

    /// How it fares.
    public var status: StoreStatus { node.figures.status(with: node.toldHealth) }

    /// It is kept elsewhere.
    public var storage: StorageUse? { nil }

    /// How long its calls took.
    public var holdTimes: HoldTimes { node.figures.holdTimes }

    /// How this node stands to the others.
    public var standing: NodeStanding? { node.standing }

    /// The nodes that share the store.
    public func nodes() async throws(StoreError) -> [NodeReport]? { try await node.nodes() }

    /// Tells the other nodes.
    public func announceEnd() { node.enter { $0.announceEnd() } }

    /// Until the node has joined.
    func whenReady() async { await node.untilReady() }

    /// Writes what is acknowledged, leaves, and answers what waits; a second time it does nothing. Within a second, whatever the
    /// database does.
    /// - Returns: whether everything that it was told is kept.
    @discardableResult
    public func close() -> Bool { end(leaving: true) }

    /// - Parameter leaving: without it the other nodes have to find out by themselves, as of a process that was killed.
    @discardableResult
    func end(leaving: Bool) -> Bool {
        let isOver = WakeSignal()
        let isKept = Atomic(true)
        node.enter { node in
            node.work { node in
                if await !node.end(leaving: leaving) { isKept.store(false, ordering: .releasing) }
                isOver.signal()
            }
        }
        isOver.wait()
        return isKept.load(ordering: .acquiring)
    }
}
