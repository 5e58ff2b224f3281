import Base
import Dispatch
import FaultVFS
import Libevent
import Postgres
import PostgresCluster
import Push
import StoreContract
import StoreCopying
import Testing

@testable import PostgresStore
@testable import SQLiteStore

/// A copying that cannot be done, or is broken off, leaves nothing behind; and time goes on as it was.
@Suite("What a copying into a shared store does not do")
struct CopyFaultTests {
    /// A directory with so many devices that a copying of it tells how far it is, and what was pushed to one of them.
    private func source(_ devices: Int = 1_500) async throws -> (store: SQLiteUnderTest, directory: TemporaryDirectory, TaskID) {
        let store = try SQLiteUnderTest(variation: 0)
        let fixture = try await StoreKind("embedded") { _ in store }.furnished()
        if devices > 0 {
            _ = try await fixture.port.importLines((0..<devices).map { String.deviceLine("i\($0)", in: "east") })
        }
        let task = try await fixture.port.push(.message(.device("d1")))
        return (store, try store.leave(after: .close), task)
    }

    private func database(at wall: Int64) async throws -> TestDatabase {
        let database = try await TestDatabase.make(in: try await withSharedPostgres { $0 })
        try await database.run("UPDATE psp.test_clock SET shift = \(wall)")
        return database
    }

    private func reason(_ copy: StoreCopy, progress: @escaping (Double, Int) throws -> Void = { _, _ in }) async -> String {
        do {
            _ = try await copy.run(progress: progress)
            return "it is done"
        } catch let failure as StoreCopy.Failure {
            switch failure {
            case .source(let error): return error.text.english
            case .target(let text): return text.english
            }
        } catch {
            return "\(error)"
        }
    }

    private static let rows = """
        SELECT (SELECT count(*) FROM psp.device) + (SELECT count(*) FROM psp.log) + (SELECT count(*) FROM psp.app)
          + (SELECT count(*) FROM psp.store_number WHERE from_seq > 0)
        """

    @Test func aServedDirectoryOneThatIsNotThereAndOneOfAnEarlierVersionAreRefused() async throws {
        let database = try await database(at: 1_800_000_000_000)
        let (store, directory, _) = try await source(0)
        try await store.reopen(after: .close)
        // As a server holds it.
        let lock = try DirectoryLock(directory.path)
        let copy = StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)
        #expect(await reason(copy) == "a server runs in \(directory.path): end it first")
        withExtendedLifetime(lock) {}
        let nowhere = StoreCopy(from: directory.path + "/none", to: database.options)
        #expect(await reason(nowhere).contains("is not there: name the data directory"))
        let (_, old, _) = try await source(0)
        let file = try Database(path: old.path + "/psp.db", role: .writer)
        try file.execute("PRAGMA user_version=1")
        _ = try file.checkpointWhole()
        #expect(
            await reason(StoreCopy(from: old.path, to: database.options)).contains("start and end this version's pspd on it once")
        )
        #expect(try await database.number(Self.rows) == 0)
        store.close()
    }

    @Test func aDatabaseThatHoldsSomethingOrIsServedIsRefused() async throws {
        let (store, directory, _) = try await source(0)
        let database = try await database(at: store.now)
        let copy = StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)
        try await database.run("INSERT INTO psp.holder VALUES (1, 'somebody')")
        #expect(await reason(copy).contains("the database is not empty (psp.holder has rows)"))
        try await database.run("DELETE FROM psp.holder; UPDATE psp.meta SET value = 99 WHERE key = 'schema_version'")
        #expect(await reason(copy).contains("use the newer program"))
        try await database.run("UPDATE psp.meta SET value = \(PostgresStore.schemaVersion) WHERE key = 'schema_version'")
        let node = try PostgresStore(PostgresStore.Options(database.options, node: NodeName(host: "node-x"), version: "test"))
        await node.whenReady()
        #expect(await reason(copy).contains("nodes use this database (node-x)"))
        node.close()
        #expect(await reason(copy) == "it is done")
        #expect(await reason(copy).contains("the database is not empty"))
        // The node that has been there and gone is not counted on any more.
        #expect(try await database.number("SELECT count(*) FROM psp.node") == 0)
    }

    /// As by a start on what was put back from a backup, after which nothing was pushed.
    @Test func aNumberOfIDsThatNoTaskHasYetIsLeftBehind() async throws {
        let (store, directory, _) = try await source(0)
        let database = try await database(at: store.now)
        let file = try Database(path: directory.path + "/psp.db", role: .writer)
        try file.execute("INSERT INTO store_number SELECT max(seq) + 1, 7 FROM message")
        _ = try file.checkpointWhole()
        #expect(await reason(StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)) == "it is done")
        #expect(try await database.number("SELECT count(*) FROM psp.store_number WHERE store = 7") == 0)
    }

    private struct Stop: Error {}

    /// Where a copy stands still until it may go on: once, at the first word of its progress.
    private final class Middle: Sendable {
        private let (arrived, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        private let isFirst = Locked(true)

        func pause() {
            let wasFirst = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            guard wasFirst else { return }
            arrived.signal()
            mayGoOn.wait()
        }

        /// True once.
        var isReached: Bool { arrived.wait(timeout: .now()) == .success }
        func goOn() { mayGoOn.signal() }
    }

    @Test func oneThatIsBrokenOffLeavesNothingAndIsRunAgain() async throws {
        let (store, directory, task) = try await source()
        let database = try await database(at: store.now)
        let copy = StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)
        #expect(await reason(copy) { _, _ in throw Stop() } == "Stop()")
        #expect(try await database.number(Self.rows) == 0)

        // The session ends in the middle, and another one takes its place at once.
        let middle = Middle()
        let broken = Task {
            await reason(copy) { _, _ in middle.pause() }
        }
        try await eventually("it is in the middle") { middle.isReached }
        try await database.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
            """)
        try await eventually("there is another session") {
            try await database.number(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") > 0
        }
        middle.goOn()
        #expect(await broken.value.contains("the session with the database was lost: nothing is copied"))
        #expect(try await database.number(Self.rows) == 0)
        try store.reopenOnce(directory)

        #expect(await reason(copy) == "it is done")
        let elsewhere = try await self.database(at: store.now)
        let again = await reason(StoreCopy(from: directory.path, to: elsewhere.options, clocks: store.clocks))
        #expect(again.contains("was moved to postgres://") && again.contains("already"))
        let node = try PostgresStore(PostgresStore.Options(database.options, node: NodeName(host: "node-a"), version: "test"))
        defer { node.close() }
        await node.whenReady()
        let loop = TestLoop()
        let port = node.port(for: loop)
        try await loop.follow(port)
        #expect(try await port.pendingTasks("d1") == [task])
    }

    /// The database may have all of it: a server that is started on the directory would go on beside it.
    @Test func oneWhoseCommitIsInDoubtLeavesItsMark() async throws {
        let (store, directory, _) = try await source()
        try await withPostgres { server in
            let options = PostgresOptions(try PostgresAddress(parsing: server.address()))
            try await PostgresStore.migrate(options)
            let database = try await PostgresClient(options)
            try await database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try await database.run("SELECT pg_reload_conf()")
            let copy = StoreCopy(from: directory.path, to: options, clocks: store.clocks)
            let copying = Task { await reason(copy) }
            let waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
            try await eventually("the commit waits for a standby") {
                try await database.number("SELECT count(*) \(waiting) AND query = 'COMMIT'") == 1
            }
            try await database.run("SELECT pg_terminate_backend(pid) \(waiting)")
            #expect(await copying.value.contains("nobody knows whether it was committed"))
            #expect(throws: SQLiteStoreError.self) { try store.reopenOnce(directory) }
            #expect(await reason(copy).contains("the database is not empty"))
            let refusal = #expect(throws: SQLiteStoreError.self) { try store.reopenOnce(directory) }
            #expect(refusal?.text.english.contains("or that was broken off at its end (pspctl store check tells)") == true)
            await database.close()
        }
    }

    @Test func aNodeThatComesMeanwhileWaitsAndSaysWhy() async throws {
        let (store, directory, task) = try await source()
        let database = try await database(at: store.now)
        let middle = Middle()
        let copying = Task {
            await reason(StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)) { _, _ in middle.pause() }
        }
        try await eventually("it is in the middle") { middle.isReached }
        let lines = Locked<[String]>([])
        var options = PostgresStore.Options(database.options, node: NodeName(host: "node-a"), version: "test")
        options.log = { line in lines.withLock { $0.append(line) } }
        options.rest = .milliseconds(5)
        let node = try PostgresStore(options)
        defer { node.close() }
        try await eventually("it says why it waits") {
            lines.withLock { $0.contains { $0.contains("pspctl store copy fills the database") } }
        }
        middle.goOn()
        #expect(await copying.value == "it is done")
        await node.whenReady()
        let loop = TestLoop()
        let port = node.port(for: loop)
        try await loop.follow(port)
        #expect(try await port.pendingTasks("d1") == [task])
    }

    @Test func positionsThatHaveComeFarAreInPartitionsOfTheirOwn() async throws {
        let store = try SQLiteUnderTest(variation: 0)
        let fixture = try await StoreKind("embedded") { _ in store }.furnished()
        var tasks = [try await fixture.port.push(.configuration(.organisation("root")))]
        for head in [20_000_000, 300_000_000, 310_000_000] as [Int64] {
            let directory = try store.leave(after: .close)
            let file = try Database(path: directory.path + "/psp.db", role: .writer)
            try file.execute("INSERT OR REPLACE INTO meta(key, value) VALUES('head', \(head))")
            _ = try file.checkpointWhole()
            try await store.reopen(after: .close)
            let port = store.port(at: 0, for: TestLoop())
            tasks.append(try await port.push(.message(.device("d1"), text: "\(head)")))
        }
        let directory = try store.leave(after: .close)
        let database = try await database(at: store.now)
        let copy = StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)
        #expect(await reason(copy) == "it is done")
        // One for each stretch of positions that has rows, and one behind them.
        #expect(try await database.number("SELECT count(*) FROM psp.log_part") == 4)
        let last = try await database.number("SELECT max(first) FROM psp.log_part")
        #expect(try await database.number("SELECT max(seq) FROM psp.log") == 310_000_002)
        #expect(try await database.number("SELECT count(*) FROM psp.log_\(last)") == 0)
        let node = try PostgresStore(PostgresStore.Options(database.options, node: NodeName(host: "node-a"), version: "test"))
        defer { node.close() }
        await node.whenReady()
        #expect([.isThere, .wasMade].contains(await node.node.extendLog()))
        let loop = TestLoop()
        let port = node.port(for: loop)
        try await loop.follow(port)
        #expect(try await port.pendingTasks("d1") == tasks)
    }

    // MARK: Time

    struct Clocks: Sendable {
        /// How far the database's is beyond this machine's.
        var ahead: Int64
        /// How long the machine was off in between; `nil`: it has been running since.
        var downtime: Int64?
        /// How far store time has gone on when the nodes come.
        var passed: Int64
    }

    private static let clocks: [Clocks] = [
        Clocks(ahead: 0, passed: 0), Clocks(ahead: 500, passed: 0), Clocks(ahead: -10 * day, passed: 0),
        Clocks(ahead: 10 * day, passed: 0), Clocks(ahead: 0, downtime: 2 * hour, passed: 2 * hour),
        Clocks(ahead: 10 * day, downtime: 2 * hour, passed: 0), Clocks(ahead: -10 * day, downtime: 2 * hour, passed: 0),
    ]

    @Test(arguments: clocks) func storeTimeGoesOn(_ clocks: Clocks) async throws {
        let passed = clocks.passed
        let store = try SQLiteUnderTest(variation: 0)
        let fixture = try await StoreKind("embedded") { _ in store }.furnished()
        let start = store.now
        let task = try await fixture.port.push(.message(.device("d1"), expires: start + hour))
        let longer = try await fixture.port.push(.message(.device("d1"), expires: start + 5 * hour))
        let directory = try store.leave(after: .close)
        if let downtime = clocks.downtime { store.reboot(after: downtime) }
        let database = try await database(at: store.now + clocks.ahead)
        let copy = StoreCopy(from: directory.path, to: database.options, clocks: store.clocks)
        #expect(await reason(copy) == "it is done")
        let node = try PostgresStore(PostgresStore.Options(database.options, node: NodeName(host: "node-a"), version: "test"))
        defer { node.close() }
        await node.whenReady()
        let loop = TestLoop()
        let port = node.port(for: loop)
        try await loop.follow(port)
        let state = try await port.clockState()
        // The database's clock stands still, and the node's does not.
        #expect(state.storeTime - start - passed < 60_000 && state.storeTime >= start + passed - 2_000)
        let pending = try await port.pendingTasks("d1")
        #expect(pending == (passed > hour ? [longer] : [task, longer]))
        let report = try await port.report(longer, to: nil)
        #expect(report.createdAt == start && report.expireAt == start + 5 * hour)
        let found = try await port.tasks(TaskFilter(from: start, to: start + 1), after: nil, limit: 10).items
        #expect(found.map(\.task) == [longer, task])
        // An operator may have store time follow a clock that is ahead.
        #expect((state.ahead != nil) == (state.wallClock - state.storeTime > 2_000))
    }
}

extension SQLiteUnderTest {
    /// As a server does that is started on the directory.
    fileprivate func reopenOnce(_ directory: TemporaryDirectory) throws {
        var options = SQLiteStore.Options()
        options.clocks = clocks
        try SQLiteStore.open(directory: directory.path, options: options).close()
    }
}
