import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// How the log is kept short.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct RetentionTests {
    @Test func anOldPartitionIsDroppedAndWhatHasToStayIsKept() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let configuration = try await a.push(.configuration(.organisation("police")))
            let message = try await a.push(.message(.organisation("police")))
            let database = try await a.database()
            // Long ago; by now the log has come to its second partition.
            try await database.run(
                """
                UPDATE psp.log SET created = created - 50 * 86400000::bigint, expires = expires - 50 * 86400000::bigint;
                INSERT INTO psp.receipt VALUES ((SELECT max(seq) FROM psp.log), 0, 0, 1, '\\x3a30000000000000');
                INSERT INTO psp.log (seq, target, created, kind)
                  SELECT 16777300, 0, extract(epoch FROM clock_timestamp()) * 1000, 14;
                """)
            await a.store.node.extendLog()
            await b.store.node.extendLog()
            #expect(try await database.number("SELECT count(*) FROM psp.log_part") == 3)
            try await a.store.node.dropPartitions()
            #expect(try await database.number("SELECT count(*) FROM pg_class WHERE relname = 'log_1'") == 0)
            #expect(try await database.number("SELECT count(*) FROM psp.log_kept") == 1)
            #expect(try await database.number("SELECT count(*) FROM psp.receipt") == 0)
            await database.close()

            #expect(try await b.port.report(configuration, to: nil).status == .active)
            await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "task_id"))) {
                try await b.port.report(message, to: nil)
            }
            try await b.port.putDevice("late", in: "police")
            let late = try await a.connect("late")
            let page = try await a.port.pending(for: late.device, after: late.settledUpTo, limit: 20)
            #expect(page.rows.map(\.task) == [configuration])
            // The newest configuration ends the one that was kept.
            _ = try await b.push(.configuration(.organisation("police"), text: "2"))
            #expect(try await a.port.report(configuration, to: nil).status == .superseded)
        }
    }

    @Test func thePositionsThatAJumpHasReachedHaveAPartitionToo() async throws {
        try await withNodes { a, b in
            try await furnish(a.port)
            let database = try await a.database()
            try await database.run(
                """
                INSERT INTO psp.log (seq, target, created, kind)
                  SELECT (SELECT max(seq) FROM psp.log) + 4294967296, 0, extract(epoch FROM clock_timestamp()) * 1000, 14;
                """)
            let task = try await a.push(.message(.device("phone")))
            await a.store.node.extendLog()
            #expect(try await database.number("SELECT count(*) FROM psp.log_part") == 3)
            let beyond = try await database.number(
                "SELECT count(*) FROM psp.log_part WHERE first > (SELECT max(seq) FROM psp.log)")
            #expect(beyond == 1)
            await database.close()
            #expect(try await b.port.report(task, to: nil).status == .active)
            _ = try await b.push(.message(.device("phone")))
        }
    }
}
