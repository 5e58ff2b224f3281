import Base
import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// A server that has fewer sessions than all nodes need.
@Suite(.timeLimit(.minutes(2)))
struct SharingTests {
    /// Two nodes of a role that may have so many sessions as the test says.
    private struct Scene: Sendable {
        let a: TestNode
        let b: TestNode
        let database: PostgresClient
        let log: Locked<[String]>

        func allow(_ sessions: Int) async throws { try await database.run("ALTER ROLE nodes CONNECTION LIMIT \(sessions)") }

        func sessions(of name: String) async throws -> Int64 {
            try await database.number("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'psp \(name) %'")
        }

        /// Whether it has all that it needs, and says so.
        func isServed(_ node: TestNode) async throws -> Bool {
            guard node.port.health == .serving else { return false }
            return try await sessions(of: node.options.node.text) == 4
        }
    }

    private static func withScene(_ body: @concurrent (Scene) async throws -> Void) async throws {
        try await withPostgres { server in
            let database = try await PostgresClient(PostgresOptions(try PostgresAddress(parsing: server.address())))
            try await database.run("CREATE ROLE nodes LOGIN; GRANT CREATE ON DATABASE postgres TO nodes")
            let log = Locked<[String]>([])
            try await withNodes(
                over: server.address(user: "nodes"),
                { options in
                    options.sharing = .seconds(1)
                    options.log = { line in log.withLock { $0.append(line) } }
                }
            ) { a, b in try await body(Scene(a: a, b: b, database: database, log: log)) }
            await database.close()
        }
    }

    private static func saysWhatToDo(_ node: TestNode) -> Bool {
        node.port.health.remedy?.english.contains("max_connections") == true
    }

    /// Each holds three of six.
    @Test(arguments: [("lane", "lane"), ("reads", "reads"), ("lane", "reads"), ("own", "tail")])
    func nodesThatHoldTheLastSessionsDoNotWaitForEachOtherForGood(lost: (a: String, b: String)) async throws {
        try await Self.withScene { scene in
            try await scene.allow(6)
            try await scene.database.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name IN ('psp a \(lost.a)', 'psp b \(lost.b)')
                """)
            try await eventually("one is not ready, and says what to do") {
                Self.saysWhatToDo(scene.a) || Self.saysWhatToDo(scene.b)
            }
            try await eventually("one has given way, and the other is served") {
                guard scene.log.withLock({ $0.contains { $0.contains("it gives them back") } }) else { return false }
                let (a, b) = (try await scene.isServed(scene.a), try await scene.isServed(scene.b))
                return a != b
            }
            let (first, second) = try await scene.isServed(scene.a) ? (scene.a, scene.b) : (scene.b, scene.a)
            first.store.close()
            try await eventually("so is who has given way, when there is room") { try await scene.isServed(second) }
        }
    }

    @Test func aNodeForWhichThereIsNoRoomDisturbsNobody() async throws {
        try await Self.withScene { scene in
            scene.b.store.close()
            try await eventually("its sessions are over") { try await scene.sessions(of: "b") == 0 }
            try await scene.allow(7)
            let late = try PostgresStore(scene.b.options)
            try await eventually("it says what to do") {
                late.status.health.remedy?.english.contains("max_connections") == true
            }
            #expect(try await scene.isServed(scene.a))
            try await scene.allow(8)
            try await eventually("there is room") { late.status.health == .serving }
            late.close()
        }
    }
}
