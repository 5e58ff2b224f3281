import Base
import FaultVFS
import Push
import StoreContract

@testable import SQLiteStore

/// A store in a directory of its own, with one loop, as a test drives it that looks inside.
final class SQLiteFixture {
    let directory: TemporaryDirectory
    let clock = ManualClock()
    let loop = TestLoop()
    var options: SQLiteStore.Options
    private(set) var store: SQLiteStore
    private(set) var port: any StorePort
    /// What the store told its operator.
    let log = LogLines()
    private var isOpen = true

    /// Outlives the store.
    private let faultyDisk: FaultyDisk?

    /// The disk of a store that stands on one that fails on demand.
    var disk: FaultyDisk {
        guard let faultyDisk else { preconditionFailure("this store stands on the machine's own disk") }
        return faultyDisk
    }

    convenience init(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws {
        try await self.init(in: TemporaryDirectory(), change)
    }

    /// A store on a disk that fails on demand, with the app `app`, organisations, and devices in the first of them.
    static func onFaultyDisk(
        organisations: [String] = ["root"], devices: [String] = [], _ change: (inout SQLiteStore.Options) -> Void = { _ in }
    ) async throws -> SQLiteFixture {
        let directory = try TemporaryDirectory()
        let fixture = try await SQLiteFixture(in: directory, on: FaultyDisk(prefix: directory.path), change)
        try await fixture.port.makeApp("app")
        for organisation in organisations { try await fixture.port.makeOrg(organisation) }
        for device in devices { try await fixture.port.makeDevice(device, in: organisations[0]) }
        return fixture
    }

    init(
        in directory: TemporaryDirectory, on disk: FaultyDisk? = nil, _ change: (inout SQLiteStore.Options) -> Void = { _ in }
    ) async throws {
        self.directory = directory
        faultyDisk = disk
        var options = SQLiteStore.Options()
        options.clocks = clock.clocks
        options.log = log.append
        change(&options)
        self.options = options
        store = try SQLiteStore.open(directory: directory.path, options: options)
        port = store.port(for: loop)
        try await loop.follow(port)
    }

    deinit { if isOpen { store.close() } }

    /// Jobs that the writer has not taken yet.
    var waitingJobs: Int { store.status.waiting }

    func close() {
        guard isOpen else { return }
        store.close()
        isOpen = false
    }

    /// Closes the store and opens it again.
    func restart() async throws {
        close()
        try await open(directory.path)
    }

    /// Opens the store that lies in `path`, after ``close()``.
    func open(_ path: String) async throws {
        store = try SQLiteStore.open(directory: path, options: options)
        isOpen = true
        port = store.port(for: loop)
        try await loop.follow(port)
    }

    /// Changes the file by SQLite's own means while no store has it: nothing of what is in memory stands for what is changed.
    func edit(_ sql: String) async throws {
        close()
        try OtherProgram(on: directory.path + "/psp.db").execute(sql)
        try await open(directory.path)
    }

    // MARK: Looking inside

    /// What a statement finds in the file.
    func rows(_ sql: StaticString) async throws -> Int64 {
        guard let port = port as? LoopPort else { throw UnexpectedAnswer("another store") }
        return try await port.read(port.store.reports) { context throws(SQLiteError) in try context.database.number(sql) ?? 0 }
    }

    /// Whether every task with a tag is in the sums by tag and hour.
    var isSummed: Bool {
        get async throws {
            try await rows("SELECT ifnull((SELECT max(seq) FROM task_counts), 0) <= (SELECT upto FROM summed)") == 1
        }
    }

    /// Sums by tag and hour that are not what the tasks say, up to where they are summed, as of one moment.
    var wrongSums: Int64 {
        get async throws {
            try await rows(
                """
                WITH
                  kept AS (SELECT app, tag, hour, tasks, targeted, delivered, pending, expired, superseded, cancelled, withdrawn,
                    skipped, rejected, opened, applied, failed FROM total),
                  right AS (SELECT app, tag, hour, count(*), sum(targeted), sum(delivered), sum(iif(place = 0, rest, 0)),
                    sum(iif(place = 1, rest, 0)), sum(iif(place = 2, rest, 0)), sum(iif(place = 3, rest, 0)), sum(withdrawn),
                    sum(skipped), sum(rejected), sum(opened), sum(applied), sum(failed)
                    FROM task_counts WHERE seq <= (SELECT upto FROM summed) GROUP BY app, tag, hour)
                SELECT (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM right))
                  + (SELECT count(*) FROM (SELECT * FROM right EXCEPT SELECT * FROM kept))
                """)
        }
    }

    func isForgotten(_ task: TaskID) async throws -> Bool {
        do throws(StoreError) {
            _ = try await port.report(task, to: nil)
            return false
        } catch {
            guard error == StoreError.refused(Refusal(.noSuchTask, field: "task_id")) else { throw error }
            return true
        }
    }
}

/// Lines that the store logged.
final class LogLines: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
