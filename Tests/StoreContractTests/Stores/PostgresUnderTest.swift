import Base
import Dispatch
import Postgres
import PostgresCluster
import Push
import StoreContract

@testable import PostgresStore

extension StoreKind {
    /// The store that nodes share: two of them over a database.
    static let postgres = StoreKind(
        "PostgresStore",
        unclaimed: [
            .promptFeed: "a node follows the log behind the answer",
            .sharedFacts: "a node writes what it was told each quarter of a second",
            .exactCursors: "a cursor is written each minute, and of what was joined nothing else tells",
        ]
    ) { _ in try await PostgresUnderTest() }
}

/// Two nodes over a database of their own, in a server that all tests share. Its wall clock stands still unless the test moves
/// it, as do the nodes' clocks, but for their leases.
final class PostgresUnderTest: StoreUnderTest {
    private struct State: Sendable {
        var nodes: [PostgresStore] = []
        /// Microseconds since the nodes' boot.
        var passed: Int64 = 5_000_000
        var isCutOff = false
    }

    private let gate = SliceGate()
    let database: TestDatabase
    private let server: PostgresServer
    private let state = Locked(State())

    /// - Parameters:
    ///   - fill: puts something into the database before a node comes.
    ///   - wall: what the wall clock says then; `nil`: whatever it says.
    ///   - holdsSlices: whether slices are held back from the beginning.
    init(
        filledBy fill: (PostgresOptions) async throws -> Void = { _ in }, at wall: Int64? = nil, holdsSlices: Bool = false
    ) async throws {
        server = try await withSharedPostgres { $0 }
        database = try await TestDatabase.make(in: server)
        if let wall { try await database.run("UPDATE psp.test_clock SET shift = \(wall)") }
        try await fill(database.options)
        if holdsSlices { gate.hold(true) }
        try await open()
    }

    deinit { close() }

    private func open() async throws {
        let (state, gate) = (state, gate)
        var nodes: [PostgresStore] = []
        for number in 0..<2 {
            var options = PostgresStore.Options(database.options, node: name(ofNode: number), version: "test")
            options.boot = { state.withLock { $0.passed } }
            // A bell is rung by the time that has passed, and none does.
            options.rest = .milliseconds(5)
            options.mayFollowUp = { gate.pass() }
            nodes.append(try PostgresStore(options))
        }
        for node in nodes { await node.whenReady() }
        let opened = nodes
        state.withLock { $0.nodes = opened }
    }

    func port(at node: Int, for mailbox: any Mailbox) -> any StorePort {
        state.withLock { $0.nodes[node] }.port(for: mailbox)
    }

    func name(ofNode node: Int) -> NodeName { NodeName(host: node == 0 ? "node-a" : "node-b") }

    var now: Int64 { get async throws { try await database.number("SELECT psp.wall()") } }

    func advance(by milliseconds: Int64) async throws {
        let nodes = state.withLock { $0.nodes }
        for node in nodes { await node.holdRenewals(true) }
        try await database.run("UPDATE psp.test_clock SET shift = shift + \(milliseconds)")
        state.withLock { $0.passed += milliseconds * 1_000 }
        for node in nodes { await node.holdRenewals(false) }
        guard state.withLock({ !$0.isCutOff }) else { return }
        // A node that has called in between has taken it for a step of the database's clock, and looks who follows that.
        for node in nodes { try await eventually("it is served") { node.status.health == .serving } }
    }

    func step(by milliseconds: Int64) async throws {
        try await database.run("UPDATE psp.test_clock SET shift = shift + \(milliseconds)")
    }

    func holdSlices(_ areHeld: Bool) { gate.hold(areHeld) }

    var isHoldingSlice: Bool { gate.isHolding }

    func letSliceGo() { gate.letOneGo() }

    func cutOff(_ isCutOff: Bool) {
        state.withLock { $0.isCutOff = isCutOff }
        if isCutOff { server.pause() } else { server.resume() }
    }

    func close() {
        let nodes = state.withLock { $0.nodes }
        DispatchQueue.concurrentPerform(iterations: nodes.count) { nodes[$0].close() }
        // Others use the server, too.
        if state.withLock({ $0.isCutOff }) { cutOff(false) }
    }

    func reopen(after ending: Ending) async throws {
        if case .crash = ending {
            for node in state.withLock({ $0.nodes }) { node.end(leaving: false) }
            // Nobody waits for the leases of the dead.
            try await database.run("UPDATE psp.node SET lease = 0")
        }
        close()
        try await open()
    }
}

extension PostgresStore {
    /// Lets time pass for all nodes at once: none of them compares its clock with the database's meanwhile.
    func holdRenewals(_ areHeld: Bool) async { await node.holdRenewals(areHeld) }
}

extension StoreNode {
    fileprivate func holdRenewals(_ areHeld: Bool) async {
        holdsRenewals = areHeld
        while areHeld, isRenewing { await renewedBell.wait(atMost: .milliseconds(1)) }
        if !areHeld { await renewNow() }
    }
}

/// A database of a test's own.
struct TestDatabase: Sendable {
    private static let template = Locked<Task<String, any Error>?>(nil)
    private static let count = Locked(0)

    let name: String
    let options: PostgresOptions
    private let connection: PostgresClient

    /// A copy of one that was migrated, and whose wall clock can be set.
    static func make(in server: PostgresServer) async throws -> TestDatabase {
        let task = template.withLock { task in
            if let task { return task }
            let new = Task { try await makeTemplate(in: server) }
            task = new
            return new
        }
        let template = try await task.value
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = "store_\(number)"
        let administration = try await PostgresClient(options(server, "postgres"))
        try await administration.run("CREATE DATABASE \(name) TEMPLATE \(template)")
        await administration.close()
        let options = try options(server, name)
        return TestDatabase(name: name, options: options, connection: try await PostgresClient(options))
    }

    private static func makeTemplate(in server: PostgresServer) async throws -> String {
        let administration = try await PostgresClient(options(server, "postgres"))
        try await administration.run("CREATE DATABASE store_template")
        await administration.close()
        let options = try options(server, "store_template")
        try await PostgresStore.migrate(options)
        let connection = try await PostgresClient(options)
        try await connection.run(
            """
            CREATE TABLE psp.test_clock (shift bigint NOT NULL);
            INSERT INTO psp.test_clock VALUES (1800000000000);
            CREATE OR REPLACE FUNCTION psp.wall() RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
            BEGIN
              RETURN (SELECT shift FROM psp.test_clock);
            END
            $$;
            """)
        await connection.close()
        return "store_template"
    }

    private static func options(_ server: PostgresServer, _ database: String) throws -> PostgresOptions {
        var options = PostgresOptions(
            try PostgresAddress(parsing: "postgres://postgres@127.0.0.1:\(server.port)/\(database)"))
        options.retry = (first: .milliseconds(10), last: .milliseconds(100))
        return options
    }

    func run(_ script: String) async throws { try await connection.run(script) }

    /// Ends its session: a database that is copied has none.
    func close() async { await connection.close() }

    func number(_ sql: String) async throws -> Int64 { try await connection.number(sql) }
}
