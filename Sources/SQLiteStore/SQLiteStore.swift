internal import Base
internal import Crypto
public import Push
internal import StoreCore

/// The embedded store: one log, its indexes, receipts and the directory in one SQLite file. One thread writes, others read.
///
/// ```swift
/// let store = try SQLiteStore.open(directory: "./data")
/// let port = store.port(for: loop)        // one a loop
/// let accepted = await port.append(request, withinRate: true)
/// ```
public final class SQLiteStore: Store {
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
        let tables = Tables(database)
        let (tail, tasks) = (Tail(head: 0), TaskNumber(store: try Self.identity(tables.meta)))
        let head = try Merge.rebuild(tail, from: tables)
        tail.publish(head: head)
        self.tail = tail
        self.tasks = tasks

        let ready = Opening()
        writer = Writer(path: path, options: options)
        let backlogLimit = options.tuning.backlogLimit
        writer.start(
            { () throws(SQLiteError) in
                // The writer's own connection, on its own thread.
                try Decisions(
                    Database(path: path, role: .writer), tail: tail, head: head, tasks: tasks, backlogLimit: backlogLimit)
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

    /// The number of this data directory, drawn when it is made.
    private static func identity(_ meta: MetaTable) throws(SQLiteError) -> UInt32 {
        if let known = try meta.number(.store) { return UInt32(truncatingIfNeeded: known) }
        let drawn = Random.bytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        try meta.write(.store, Int64(drawn))
        return drawn
    }

    /// A loop's own port. One a loop.
    public func port(for mailbox: any Mailbox) -> any StorePort {
        // Numbered in the order in which the writer is told of them.
        let number = ports.withLock { count in
            writer.submit(
                Job(
                    loop: count, kind: .fact,
                    decide: { decisions, _ in
                        decisions.outbox.join(mailbox)
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
}

/// Carries what became of the writer's start to the thread that waits for it.
private final class Opening: Sendable {
    private let outcome = Locked<SQLiteError?>(nil)
    private let wake = WakeSignal()

    @Sendable func finish(_ error: SQLiteError?) {
        outcome.withLock { $0 = error }
        wake.signal()
    }

    func wait() -> SQLiteError? {
        wake.wait()
        return outcome.withLock { $0 }
    }
}
