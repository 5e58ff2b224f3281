internal import Base
internal import Crypto
internal import Glibc
public import Push

/// The embedded store: one log, its indexes, receipts and the directory in one SQLite file. One thread writes, others read.
///
/// ```swift
/// let store = try SQLiteStore.open(directory: "./data")
/// let port = store.port(for: loop)        // one a loop
/// let accepted = await port.append(request, withinRate: true)
/// ```
public final class SQLiteStore: Store {
    /// How a store behaves.
    public struct Options: Sendable {
        /// How long a task is kept after it ended, in milliseconds.
        public var taskRetention: Int64 = 30 * 24 * 3_600_000
        /// How often the log is searched for tasks that are to be forgotten, in milliseconds.
        public var sweepInterval: Int64 = 3_600_000
        /// Unix time in milliseconds.
        public var clock: @Sendable () -> Int64 = { WallClock.milliseconds }
        /// Told what an operator should know: a disk that is full or fails, a checkpoint that does not work.
        public var log: @Sendable (String) -> Void = { _ in }

        /// Sizes and pauses that nobody but a test has a reason to change.
        var tuning = Tuning()

        /// Keeps tasks 30 days and reads the system's clock.
        public init() {}
    }

    /// What was measured to be right, in one place.
    struct Tuning: Sendable {
        /// A generation of the tail is merged when it holds this many rows.
        var mergeThreshold = 65_536
        /// How long a tail with few rows waits to be merged while nothing is to do, in milliseconds.
        var mergePause = 1_000
        /// Frames (4 KiB) of the write-ahead log above which it is moved into the file. The more, the more often a page has been written again by then, and is moved
        /// once: beside an import the checkpoints took a third of the time that they took with 8,192.
        var checkpointThreshold = 32_768
        /// A loop that is further behind than this, in bytes, gets a gap instead of more.
        var backlogLimit = 64 << 20
        /// What a test lets happen at the one point of a read at which rows could be missed.
        var betweenTailAndSnapshot: @Sendable () -> Void = {}
        /// Between two slices of a sweep, in milliseconds: no push waits for more than one.
        var sweepPause = 20
    }

    let writer: Writer
    /// Pages for devices.
    let pages: Reader
    /// Reports and lists, which may be long: they delay no device.
    let reports: Reader
    let tail: Tail
    let tasks: TaskNumber
    let options: Options
    /// How many doors there are.
    private let ports = Locked(0)

    /// Opens the store in an existing directory, making its file if there is none.
    ///
    /// Returns when the log's newest rows are indexed in memory; that is bounded, whatever the size of the log.
    public static func open(directory: String, options: Options = Options()) throws(SQLiteStoreError) -> SQLiteStore {
        var steady = options
        steady.clock = SteadyClock(options.clock).now
        do {
            return try SQLiteStore(path: directory + "/psp.db", steady)
        } catch let error as SQLiteStoreError {
            throw error
        } catch {
            throw .failed("\(directory)/psp.db: \(error)")
        }
    }

    private init(path: String, _ options: Options) throws {
        self.options = options
        try Schema.inspect(path)
        let database = try Database(path: path, role: .writer)
        try Schema.prepare(database)
        tasks = TaskNumber(store: try Self.identity(of: database))
        tail = Tail(head: 0)
        tail.publish(head: try Merge.rebuild(tail, from: database))

        let (tail, tasks) = (tail, tasks)
        let head = tail.take().head
        let ready = Opening()
        writer = Writer(path: path, options: options)
        writer.start(
            {
                // The writer's own connection, on its own thread.
                try Ledger(Database(path: path, role: .writer), tail: tail, head: head, tasks: tasks, options: options)
            }, opened: ready.finish)
        let open: @Sendable () throws(SQLiteError) -> Reader.Context = { () throws(SQLiteError) in
            try Reader.Context(path: path, tail: tail, tasks: tasks, options: options)
        }
        pages = Reader(name: "psp-pages", isShared: true, scheduling: .ordinary, log: options.log, open: open)
        reports = Reader(name: "psp-reports", isShared: false, scheduling: .givesWayOnProcessor, log: options.log, open: open)
        if let error = ready.wait() {
            close()
            throw error
        }
    }

    /// A loop's door to the store. One a loop.
    public func port(for mailbox: any Mailbox) -> any StorePort {
        // Numbered in the order in which the writer is told of them.
        let number = ports.withLock { count in
            writer.submit(
                Job(
                    loop: count, isFact: true,
                    decide: { ledger in
                        ledger.outbox.join(mailbox)
                        return nil
                    }, fail: { _ in nil }))
            defer { count += 1 }
            return count
        }
        return LoopPort(store: self, mailbox: mailbox, loop: number)
    }

    /// Decides and writes what was handed in, then ends. Loops must go on until it returns: answers are posted to them.
    public func close() {
        writer.close()
        pages.close()
        reports.close()
    }

    /// The number of this data directory, drawn when it is made.
    private static func identity(of database: Database) throws(SQLiteError) -> UInt32 {
        if let known = try database.number("SELECT value FROM meta WHERE key = 'store'") {
            return UInt32(truncatingIfNeeded: known)
        }
        let drawn = Random.bytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let write = try database.statement("INSERT INTO meta(key, value) VALUES('store', ?)")
        write.bind(1, drawn)
        try write.run()
        return drawn
    }
}

/// Carries what became of the writer's start to the thread that waits for it.
private final class Opening: Sendable {
    private let outcome = OutcomeBox()
    private let wake = WakeSignal()

    func finish(_ error: (any Error)?) {
        outcome.set(error)
        wake.signal()
    }

    func wait() -> (any Error)? {
        wake.wait()
        return outcome.get()
    }
}
