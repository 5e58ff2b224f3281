import Base
import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Pushes are decided one batch after the other, and wait for the standby side by side: until it has them nobody sees them.
@Suite(.timeLimit(.minutes(2)))
struct ConfirmationTests {
    /// Both nodes' pushes are in the log, though the first one's wait for the standby is not over.
    @Test func whoWaitsForTheStandbyHoldsUpNobodyAndIsSeenByNobody() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, b in
                try await furnish(a.port)
                let earlier = try await a.push(.message(.organisation("police")))
                try await b.loop.waitForEntry("the row") { $0.task == earlier }
                let database = try await a.database()
                let before = try await database.rows()
                pair.standby.pause()
                async let first = a.push(.message(.organisation("police"), text: "1"))
                try await database.untilRows(before + 1, "the first is in the log")
                async let second = b.push(.message(.organisation("police"), text: "2"))
                try await database.untilRows(before + 2, "the second is in the log")
                // Readings go on meanwhile.
                let readings = await b.store.node.readingsBegun
                try await eventually("the log is read again") { await b.store.node.readingsBegun > readings + 2 }
                #expect(!a.loop.takeEvents().flatMap(\.rows).contains { $0.task != earlier })
                #expect(!b.loop.takeEvents().flatMap(\.rows).contains { $0.task != earlier })
                #expect(try await b.port.tasks(TaskFilter(), after: nil, limit: 10).items.map(\.task) == [earlier])

                pair.standby.resume()
                let tasks = [try await first, try await second]
                for node in [a, b] {
                    for task in tasks { try await node.loop.waitForEntry("the row") { $0.task == task } }
                    #expect(try await node.port.tasks(TaskFilter(), after: nil, limit: 10).items.count == 3)
                }
                await database.close()
            }
        }
    }

    /// Of three batches the first could not wait, and the second's wait ends: that tells of what lies before it, no more.
    @Test func whoHasWaitedTellsOfWhatWasCommittedBefore() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, b in
                try await furnish(a.port)
                _ = try await a.push(.message(.organisation("police")))
                let database = try await a.database()
                try await database.leaveBatch(beyond: 0)
                let before = try await database.rows()
                pair.standby.pause()
                async let second = b.push(.message(.organisation("police")))
                try await database.untilRows(before + 1, "the second is in the log")
                async let third = a.push(.message(.organisation("police")))
                try await database.untilRows(before + 2, "the third is in the log")
                try await database.run(
                    "SET LOCAL synchronous_commit = local; INSERT INTO psp.confirmed SELECT max(seq) - 1 FROM psp.log")
                #expect(try await b.port.tasks(TaskFilter(), after: nil, limit: 10).items.count == 2)
                // A renewal that finds a batch of some time ago does not show it before it has waited itself.
                let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%renew_1%' AND wait_event = 'SyncRep'"
                try await eventually("a renewal waits") { try await database.number(waiting) > 0 }
                #expect(try await b.port.tasks(TaskFilter(), after: nil, limit: 10).items.count == 2)
                pair.standby.resume()
                for task in [try await second, try await third] {
                    try await b.loop.waitForEntry("the row") { $0.task == task }
                }
                await database.close()
            }
        }
    }

    /// The tables that tell what is hidden are empty then.
    @Test func whatNobodyHadWaitedForIsHiddenAfterACrashToo() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await furnish(a.port)
                _ = try await a.push(.message(.organisation("police")))
                let former = try await a.database()
                let before = try await former.rows()
                pair.standby.pause()
                async let hidden = a.accepted(.message(.organisation("police")))
                try await eventually("it is in the log, and on the primary's disk") {
                    try await former.number(
                        "SELECT count(*) FROM psp.log WHERE pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
                        == before + 1
                }
                await former.close()
                await pair.primary.crash()
                try await pair.primary.start()
                let database = try await a.database()
                try await database.run("SET search_path = psp")
                #expect(try await database.rows() == before + 1)
                #expect(
                    try await database.number("SELECT (unconfirmed_from() <= max(seq))::integer::bigint FROM psp.log") == 1)
                #expect(await hidden.isUnknown)
                pair.standby.resume()
                try await eventually("it is shown") {
                    try await database.number("SELECT (unconfirmed_from() > max(seq))::integer::bigint FROM psp.log") == 1
                }
                await database.close()
            }
        }
    }

    /// A primary that has crashed, or whose sessions were terminated, shows what no standby has: here the change is done, and
    /// nobody was told so.
    @Test func whoRepeatsAChangeIsAnsweredWhenTheStandbyHasIt() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await furnish(a.port)
                let task = try await a.push(.message(.organisation("police")))
                _ = try await a.port.cancel(task, by: AppKey(unchecked: "app"), nonce: nil)
                pair.standby.pause()
                await #expect(throws: StoreError.self) { try await a.port.putDevice("phone", in: "police", of: "ann") }
                await #expect(throws: StoreError.self) { try await a.port.cancel(task, by: AppKey(unchecked: "app"), nonce: nil) }
                pair.standby.resume()
                try await eventually("it is told") { (try? await a.port.putDevice("phone", in: "police", of: "ann")) != nil }
            }
        }
    }

    @Test func whoWasTakenForDeadIsToldSoAlsoWhereItConfirmsSomething() async throws {
        try await withNodes { a, _ in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.leaveBatch(beyond: 1)
            #expect(try await database.number("SELECT outcome::bigint FROM psp.renew_1(999, psp.wall(), 0, 0, false)") == 2)
            await database.close()
        }
    }

    /// As of a batch whose session was terminated between its two commits.
    @Test func whatNobodyConfirmsAnyMoreIsConfirmedByTheNextRenewal() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await a.push(.message(.organisation("police")))
            let database = try await a.database()
            try await database.leaveBatch(beyond: 1)
            // The change is told behind that position, and answered when both nodes have applied it.
            try await b.port.makeOrg("traffic")
            try await database.run("SET search_path = psp")
            #expect(try await database.number("SELECT unconfirmed_from()") == .max)
            await database.close()
        }
    }

    @Test func whoCouldNotWaitIsToldThatNobodyKnows() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            _ = try await a.push(.message(.organisation("police")))
            let database = try await a.database()
            let before = try await database.rows()
            let confirmed = try await database.number("SELECT max(last) FROM psp.confirmed")
            try await database.run("ALTER TABLE psp.confirmed ADD CONSTRAINT never CHECK (last <= \(confirmed))")
            #expect(await a.accepted(.message(.organisation("police"), bizNo: "order")).isUnknown)
            #expect(try await database.rows() == before + 1)
            try await database.run("ALTER TABLE psp.confirmed DROP CONSTRAINT never")
            // Who asks again has it confirmed.
            guard case .repeated(let task) = await b.accepted(.message(.organisation("police"), bizNo: "order")) else {
                Issue.record("it is in the log")
                return
            }
            try await a.loop.waitForEntry("the row") { $0.task == task }
            await database.close()
        }
    }

    /// What a batch of refusals alone has written need not be at the standby.
    @Test func aRefusalWaitsForNobody() async throws {
        try await withPostgresPair { pair in
            try await withNodes(over: pair.address) { a, _ in
                try await furnish(a.port)
                pair.standby.pause()
                #expect(await a.accepted(.message(.device("nobody"))).refusal?.code == .noSuchDevice)
                pair.standby.resume()
            }
        }
    }
}

extension PostgresClient {
    /// How many rows the log has, hidden ones too.
    fileprivate func rows() async throws -> Int64 { try await number("SELECT count(*) FROM psp.log") }

    fileprivate func untilRows(_ count: Int64, _ what: String) async throws {
        try await eventually(what) { try await self.rows() == count }
    }

    /// A batch of long ago of which nobody tells that it is at the standby, so far beyond the log's last position.
    fileprivate func leaveBatch(beyond distance: Int) async throws {
        try await run(
            """
            INSERT INTO psp.unconfirmed SELECT max(seq) + \(distance), max(seq) + \(distance), 0 FROM psp.log
              ON CONFLICT (last) DO UPDATE SET since = 0;
            UPDATE psp.confirmed SET last = last - 1 WHERE last >= (SELECT max(last) FROM psp.unconfirmed);
            """)
    }
}
