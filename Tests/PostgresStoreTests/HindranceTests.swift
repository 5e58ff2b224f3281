import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// The database answers a node and renews its lease, and pushes come to nothing: a balancer has to know.
@Suite(.timeLimit(.minutes(2)))
struct HindranceTests {
    /// As where something is full, or breaks; `nil`: nothing does any more.
    private static func fault(_ state: String?) -> String {
        """
        CREATE OR REPLACE FUNCTION psp.fault() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN \(state.map { "RAISE EXCEPTION 'it cannot be written' USING ERRCODE = '\($0)';" } ?? "") RETURN NEW; END $$
        """
    }

    /// Two nodes, of which the first has tried a push that failed so, as all do from now on.
    private static func withPushesFailing(
        _ state: String, _ body: @concurrent (TestNode, TestNode, PostgresClient) async throws -> Void
    ) async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run(fault(state))
            // The nodes use the table, and may be in the way.
            let trigger = "CREATE TRIGGER fault BEFORE INSERT ON psp.log FOR EACH ROW EXECUTE FUNCTION psp.fault()"
            try await eventually("it is in place") {
                if case .rows = await database.call(PostgresCall(script: trigger)) { true } else { false }
            }
            #expect(await a.accepted(.message(.organisation("police"))) == .unavailable(retryAfter: .seconds(1)))
            try await body(a, b, database)
            await database.close()
        }
    }

    @Test func aDatabaseWhoseDiskIsFullIsToldAndSoIsItsEnd() async throws {
        try await Self.withPushesFailing("53100") { a, b, database in
            let full = Health.blocked(
                reason: BilingualText("数据库的磁盘已满：请腾出空间", "the database's disk is full: make room on it"))
            #expect(a.port.health == full && a.store.status.health == full)
            // Devices come and are served with what there is.
            _ = try await a.connect("phone")
            #expect(b.port.health == .serving, "it has tried nothing")
            try await database.run(Self.fault(nil))
            #expect(await a.accepted(.message(.organisation("police"))).isStored)
            #expect(a.port.health == .serving)
        }
    }

    /// Nobody pushes to who is not ready: time ends it too.
    @Test func itIsTriedAgainAfterAWhile() async throws {
        try await Self.withPushesFailing("58030") { a, _, database in
            #expect(a.port.health.name == "blocked")
            try await eventually("it is tried again") { a.port.health == .serving }
            #expect(a.store.status.health.name == "blocked", "who looks now and then is still told")
            // Nothing of that is stored.
            #expect(await a.accepted(.message(.device("nobody"))).refusal != nil)
            #expect(a.store.status.health.name == "blocked")
            try await database.run(Self.fault(nil))
            #expect(await a.accepted(.message(.organisation("police"))).isStored)
            #expect(a.store.status.health == .serving)
        }
    }

    @Test func aRefusalIsNotTakenForTheEndOfIt() async throws {
        try await Self.withPushesFailing("53100") { a, _, _ in
            #expect(await a.accepted(.message(.device("nobody"))).refusal != nil)
            #expect(a.port.health.name == "blocked")
        }
    }

    /// As where somebody has taken the role's rights away.
    @Test(arguments: ["42501", "0A000", "55P03", "XX002"])
    func whatNoPushIsToBlameForIsTold(state: String) async throws {
        try await Self.withPushesFailing(state) { a, _, _ in #expect(a.port.health.name == "blocked") }
    }

    @Test func whatFailsByWhatWasPushedHindersNoOthers() async throws {
        try await Self.withPushesFailing("22023") { a, _, _ in #expect(a.port.health == .serving) }
    }

    @Test func aSessionThatKeepsTheLaneIsToldAndSoIsItsEnd() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run("SELECT pg_advisory_lock(1886613553, 0)")
            #expect(await !a.accepted(.message(.organisation("police"))).isStored)
            try await eventually("it is told") { a.port.health.name == "blocked" }
            try await eventually("the session that waited was given up") { a.store.node.standing.losses > 0 }
            // For longer than it would count by itself, and no further session is given up for it.
            let (losses, later) = (a.store.node.standing.losses, ContinuousClock.now + .seconds(9))
            while ContinuousClock.now < later {
                #expect(a.port.health != .serving)
                // It keeps it from one transaction to the next.
                try await database.run("SELECT pg_sleep(0.1)")
            }
            #expect(a.store.node.standing.losses == losses)
            try await database.run("SELECT pg_advisory_unlock(1886613553, 0)")
            try await eventually("it is over without a push") { a.port.health == .serving }
            #expect(await a.accepted(.message(.organisation("police"))).isStored)
            await database.close()
        }
    }
}
