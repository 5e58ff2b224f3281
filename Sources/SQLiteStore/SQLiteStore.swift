internal import Base
internal import Glibc
public import Push
internal import StoreCore

/// The embedded store: one log, its indexes, receipts and the directory in one SQLite file. One thread writes, others read.
///
/// ```swift
/// let store = try SQLiteStore.open(directory: "./data")
/// let port = store.port(for: loop)        // one a loop
/// let accepted = await port.append(request)
/// ```
public final class SQLiteStore: Store {
    let writer: Writer
    private let checkpointer: Checkpointer
    /// Pages for devices.
    let pages: Reader
    /// Reports and lists, each a short piece of work: they delay no device.
    let reports: Reader
    /// Statistics that take long: they delay no report.
    let statistics: Reader
    let longReports = LongReports()
    let tail: Tail
    let organisations: PublishedOrganisations
    let gate: AcknowledgementGate
    let tasks: TaskNumber
    let clock: StoreClock
    let audited = AuditFigures()
    let options: Options
    private let path: String
    let lines: RareLines
    /// How many doors there are.
    private let ports = Locked(0)

    /// Opens the store in an existing directory, making its file if there is none. All that it needs until its end is open then.
    ///
    /// Returns when the log's newest rows are indexed in memory; that is bounded, whatever the size of the log.
    public static func open(directory: String, options: Options = Options()) throws(SQLiteStoreError) -> SQLiteStore {
        do {
            try MovedStore.refuse(directory)
            return try SQLiteStore(path: directory + "/psp.db", options)
        } catch {
            throw SQLiteStoreError("\(directory)/psp.db", whatever: error)
        }
    }

    private init(path: String, _ options: Options) throws {
        self.options = options
        self.path = path
        lines = RareLines(options.log)
        let lastWritten = Self.lastWritten(path)
        try Schema.inspect(path)
        let database = try Database(path: path, role: .writer)
        try Schema.prepare(database, lastWritten: lastWritten)
        let stretches = SharedStretches()
        let tables = Tables(database, stretches)
        let time = try TimeAtStart(tables, options.clocks, lastWritten: lastWritten, rowsAtATime: options.tuning.rowsAtATime)
        stretches.set(time.stretches)
        let clock = StoreClock(base: time.base, boot: options.clocks.boot)
        let tail = Tail(head: 0)
        let head = try Merge.rebuild(tail, from: tables)
        tail.publish(head: head)
        let tasks = try Renewal.numbers(of: tables, at: path, head: head, log: options.log)
        self.tail = tail
        let organisations = PublishedOrganisations()
        self.organisations = organisations
        let gate = AcknowledgementGate()
        self.gate = gate
        self.tasks = tasks
        self.clock = clock

        // What was begun is ended where the rest cannot be opened.
        var begun: [() -> Void] = []
        do throws(SQLiteError) {
            let checkpointer = try Checkpointer(path: path, log: options.log)
            begun.append { checkpointer.close(.leaving) }
            let open: @Sendable () throws(SQLiteError) -> Reader.Context = { () throws(SQLiteError) in
                let tables = Tables(try Database(path: path, role: .reader), stretches)
                return Reader.Context(tables, tail: tail, tasks: tasks, clock: clock, options: options)
            }
            let pages = try Reader(name: "psp-pages", isShared: true, scheduling: .ordinary, log: options.log, open: open)
            begun.append(pages.close)
            let reports = try Reader(
                name: "psp-reports", isShared: false, scheduling: .givesWayOnProcessor, log: options.log, open: open)
            begun.append(reports.close)
            let statistics = try Reader(
                name: "psp-statistics", isShared: false, scheduling: .givesWayOnProcessor, log: options.log, open: open)
            begun.append(statistics.close)
            let (tuning, audited) = (options.tuning, audited)
            (self.checkpointer, self.pages, self.reports, self.statistics) = (checkpointer, pages, reports, statistics)
            writer = Writer(path: path, checkpointer, options: options)
            try writer.start { () throws(SQLiteError) in
                // The writer's own connection, on its own thread.
                let tables = Tables(try Database(path: path, role: .writer), stretches)
                let time = Timekeeper(time, options.clocks, tables.clock, clock, stretches, log: options.log)
                let decisions = try Decisions(
                    tables, time, tail: tail, head: head, tasks: tasks, organisations: organisations, gate: gate,
                    tuning: tuning, quota: options.quota, figures: audited, log: options.log)
                try decisions.directory.noteGiven()
                return decisions
            }
        } catch {
            for close in begun.reversed() { close() }
            throw error
        }
    }

    /// When the store was written last, by the wall clock, in milliseconds; `nil` where there is none yet.
    private static func lastWritten(_ path: String) -> Int64? {
        ["", "-wal"].compactMap { suffix -> Int64? in
            var status = stat()
            guard stat(path + suffix, &status) == 0 else { return nil }
            return Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        }.max()
    }

    /// How it fares.
    public var status: StoreStatus {
        var status = writer.status
        status.uncounted = gate.uncounted
        status.audit = audited.counts
        return status
    }

    /// What its files take, and what is left on their disk.
    public var storage: StorageUse? {
        var disk = statvfs()
        guard statvfs(path, &disk) == 0 else { return nil }
        // Some file systems say that they have no end.
        let (bytes, isEndless) = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        let free = isEndless ? Int64.max : Int64(clamping: bytes)
        let (database, log) = (Self.size(of: path), Self.size(of: path + "-wal"))
        return StorageUse(database: database, log: log, logAge: checkpointer.logAge, free: free)
    }

    /// 0 where there is none.
    private static func size(of path: String) -> Int64 {
        var information = stat()
        return stat(path, &information) == 0 ? Int64(information.st_size) : 0
    }

    /// How long single pieces of work have held the writer's thread.
    public var holdTimes: HoldTimes { writer.holdTimes }

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
    @discardableResult
    public func close() -> Bool {
        let loss = writer.close()
        pages.close()
        reports.close()
        statistics.close()
        checkpointer.close(loss == nil ? .moving : .leaving)
        if let loss { options.log("the store was closed, but \(loss)") }
        return loss == nil
    }
}
