import Postgres
import PostgresCluster
import Push
import StoreContract
import Testing

@testable import PostgresStore

/// Plans are kept while tables grow. Of one that was empty when a plan was made the planner thinks that it is read as a whole as
/// quickly as one row of it is found: what nodes do must not cost more for that.
@Suite(.timeLimit(.minutes(2)))
struct PlanTests {
    /// How many rows come to the tables once the plans are made.
    private static let many = 20_000

    @Test func whatTablesHeldWhenPlansWereMadeDecidesNothing() async throws {
        try await withPostgres(settings: ["autovacuum": "off"]) { server in
            try await withNodes(over: server.address()) { a, b in
                try await furnish(a.port)
                let database = try await a.database()
                try await database.run("VACUUM ANALYZE")
                for round in 0..<7 { try await useAll(of: a, b, UInt64(round)) }
                for sql in Self.growth { try await database.run(sql) }
                let before = try await looks(of: database)
                for round in 7..<10 { try await useAll(of: a, b, UInt64(round)) }
                // Servers' processes tell what they have read a second later, with the next thing that they do.
                try await useAll(of: a, b, 10, after: .milliseconds(1_200))
                try await eventually("it is told") {
                    try await looks(of: database)["session", default: 0] > before["session", default: 0]
                }
                for (table, rows) in try await looks(of: database) {
                    let read = rows - before[table, default: 0]
                    // What is done now and then may read one of them as a whole, once.
                    #expect(read < 2 * Self.many, "\(read) rows of \(table) were read")
                }
                await database.close()
            }
        }
    }

    /// Something of everything that is done all the time.
    private func useAll(of a: TestNode, _ b: TestNode, _ round: UInt64, after pause: Duration = .zero) async throws {
        try await Task.sleep(for: pause)
        let first = try await a.connect("phone", as: SessionID(raw: 100 + 4 * round))
        let second = try await b.connect("tablet", as: SessionID(raw: 101 + 4 * round))
        try await a.port.makeOrg("station-\(round)")
        try await b.port.moveOrg("station-\(round)", under: "police")
        try await a.port.putDevice("new-\(round)", in: "station-\(round)", of: "user-\(round)")
        try await b.port.putDevice("new-\(round)", in: "police", of: "ann")
        try await a.port.makeApp("confined", scope: "police")
        var tasks: [TaskID] = []
        for target: PushRequest.Target in [.device("phone"), .user("ann"), .organisation("police")] {
            tasks.append(try await b.push(.message(target, text: "\(round)")))
            tasks.append(try await b.push(.configuration(target, text: "round=\(round)")))
            _ = try await b.push(.message(target, from: "confined", bizNo: "\(target) \(round)"))
        }
        let (direct, last) = (tasks[0], tasks[5])
        try await a.loop.waitForEntry("the last one") { $0.task == last }
        let rows = a.loop.takeEvents().flatMap(\.rows).filter { tasks.contains($0.task) }
        a.port.settle(
            rows.map { Delivery(device: first.device, position: $0.position, settledUpTo: first.settledUpTo, kind: .delivered) })
        try await eventually("it is written") { try await b.port.report(direct, to: nil).counts.delivered == 1 }
        // Over to the other node, which takes it from the one that has it.
        async let moved = b.connect("phone", as: SessionID(raw: 102 + 4 * round))
        try await a.loop.waitForClose(of: SessionID(raw: 100 + 4 * round), .takenOver)
        a.port.detach(first.device, session: SessionID(raw: 100 + 4 * round), settledUpTo: first.settledUpTo)
        let page = try await b.port.pending(for: try await moved.device, after: first.settledUpTo, limit: 20)
        #expect(page.rows.allSatisfy { $0.task != direct })
        b.port.detach(first.device, session: SessionID(raw: 102 + 4 * round), settledUpTo: page.lookedUpTo)
        b.port.detach(second.device, session: SessionID(raw: 101 + 4 * round), settledUpTo: second.settledUpTo)
    }

    /// How many rows of each table were read until now.
    private func looks(of database: PostgresClient) async throws -> [String: Int] {
        let sql = """
            SELECT relname::text, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
            FROM pg_stat_user_tables WHERE schemaname = 'psp'
            """
        guard case .rows(let rows) = await database.call(PostgresCall(PostgresStatement(sql))) else { return [:] }
        var looks: [String: Int] = [:]
        for row in 0..<rows.count { looks[try rows.text(row, 0) ?? ""] = Int(try rows.int8(row, 1) ?? 0) }
        return looks
    }

    /// Rows of others, in every table that has many in the field.
    private static let growth = [
        """
        INSERT INTO psp.device (ordinal, token, token_hash, platform, org, org_since, holder_since, test, test_since, created_seq,
          retired_seq, salt, hash)
        SELECT 1000000 + i, i::text::bytea, i, 0, (SELECT min(org) FROM psp.org), 1, 1, false, 1, 1, 9223372036854775807, '', ''
        FROM generate_series(1, \(many)) i
        """,
        "INSERT INTO psp.session (ordinal, cursor) SELECT 1000000 + i, 1 FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.holder (holder, user_id) SELECT 1000000 + i, ('u' || i)::bytea FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.receipt (seq, mark, chunk, node) SELECT 1e15 + i, 0, -1, 0 FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.mark (seq, mark, chunk) SELECT 1e15 + i, 2, -1 FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.past_org SELECT 1000000 + i, 1, 2, 1 FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.past_test SELECT 1000000 + i, 1, 2 FROM generate_series(1, \(many)) i",
        """
        INSERT INTO psp.org (org, org_id, name, path)
        SELECT 1000000 + i, ('o' || i)::bytea, '', ARRAY[1000000 + i] FROM generate_series(1, \(many)) i
        """,
        "INSERT INTO psp.org_parent SELECT 1000000 + i, 1, 9223372036854775807, NULL FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.event SELECT 1e15 + i, 1, i FROM generate_series(1, \(many)) i",
        "INSERT INTO psp.nonce SELECT 1e12 + i, i FROM generate_series(1, \(many)) i",
        """
        INSERT INTO psp.current_config (slot, seq, target, target_kind, app, tag, test, within)
        SELECT i, 1e15 + i, i::text::bytea, 1, 1, '', false, 1000000 + i FROM generate_series(1, \(many)) i
        """,
        """
        INSERT INTO psp.app (appkey, name, secret, interfaces, disabled)
        SELECT ('a' || i)::bytea, '', '', 3, false FROM generate_series(1, \(many)) i
        """,
        "INSERT INTO psp.app_rate SELECT 1000000 + i, 1, 1, 1, 1 FROM generate_series(1, \(many)) i",
    ]
}
