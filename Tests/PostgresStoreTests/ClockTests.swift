import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Since when others are waited for that may not have come back.
struct AbsenceTests {
    @Test func aSecondOneThatFollowsSoonBeginsWithTheFirst() {
        let first = Absence(from: 1_000_000, to: 6_000_000, after: nil, isSame: false)
        #expect(first.isRecent(at: 13_000_000) && !first.isRecent(at: 14_000_000))
        let second = Absence(from: 6_000_000, to: 10_000_000, after: first, isSame: false)
        #expect(second.from == 1_000_000 && second.isRecent(at: 17_000_000))
        let late = Absence(from: 30_000_000, to: 40_000_000, after: second, isSame: false)
        #expect(late.from == 30_000_000)
        let same = Absence(from: 40_000_000, to: 60_000_000, after: late, isSame: true)
        #expect(same.from == 30_000_000, "it is not over yet, however long it lasts")
    }
}

/// What a node makes of what the database's clock says.
struct NodeTimeTests {
    private func sample(_ now: Int64, shift: Int64 = 0, asked: Int64, took: Int64 = 1_000) -> NodeTime.Sample {
        NodeTime.Sample(now: now, shift: shift, asked: asked, answered: asked + took)
    }

    @Test func itGoesOnByItsOwnClock() {
        var time = NodeTime()
        time.begin(sample(1_000_000, asked: 0, took: 0))
        #expect(time.now(at: 5_000_000) == 1_005_000)
        #expect(time.learn(sample(1_006_500, asked: 5_000_000, took: 0)) == .agrees)
        #expect(time.now(at: 5_000_000) == 1_006_500)
    }

    @Test func aClockThatWasSetIsMadeUpFor() {
        var time = NodeTime()
        time.begin(sample(1_000_000, asked: 0, took: 0))
        #expect(time.learn(sample(4_601_000, asked: 1_000_000, took: 0)) == .wasSet(shift: -3_600_000))
        // Until it is, nothing that is known changes.
        #expect(time.now(at: 1_000_000) == 1_001_000)
        #expect(time.learn(sample(1_001_000, shift: -3_600_000, asked: 1_000_000, took: 0)) == .follows)
    }

    @Test func aLateAnswerIsNoStep() {
        var time = NodeTime()
        time.begin(sample(1_000_000, asked: 0, took: 0))
        #expect(time.learn(sample(1_009_000, asked: 1_000_000, took: 8_000_000)) == .uncertain)
        #expect(time.now(at: 9_000_000) == 1_009_000)
    }

    @Test func whatAnotherNodeHasMadeUpForIsTakenOver() {
        var time = NodeTime()
        // It came while the clock was set, and nobody had noticed.
        time.begin(sample(4_600_000, asked: 0, took: 0))
        #expect(time.learn(sample(1_001_000, shift: -3_600_000, asked: 1_000_000, took: 0)) == .follows)
        #expect(time.now(at: 1_000_000) == 1_001_000)
    }
}

/// By which clock a caller's timestamp is judged.
@Suite(.timeLimit(.minutes(1)))
struct SharedWallClockTests {
    /// This machine's may be wrong, and every node is to judge alike.
    @Test func itIsTheDatabasesAlsoWhenThatIsSet() async throws {
        try await withNodes { a, b in
            let database = try await a.database()
            for node in [a, b] { #expect(try await Self.difference(node, database) < 1_500) }
            try await database.run(
                """
                CREATE OR REPLACE FUNCTION psp.wall() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
                BEGIN RETURN extract(epoch FROM clock_timestamp()) * 1000 + 3600000; END $$
                """)
            for node in [a, b] {
                try await eventually("it follows") { try await Self.difference(node, database) < 1_500 }
            }
            await database.close()
        }
    }

    /// Between what a node and the database have the time for, in milliseconds.
    private static func difference(_ node: TestNode, _ database: PostgresClient) async throws -> Int64 {
        let clock = try #require(node.port.sharedWallClock)
        return abs(try await database.number("SELECT psp.wall()") - clock())
    }
}
