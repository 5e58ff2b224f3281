import FaultVFS
import Postgres
import PostgresCluster
import Push
import StoreContract
import StoreCopying
import Testing

@testable import PostgresStore

/// Whether what a shared store holds fits together is told by `SharedStoreExamination`: nothing of a store that nodes have used,
/// each kind of damage in a sentence.
@Suite("What a shared store is examined for")
struct CheckTests {
    /// A kind of damage, where it is planted, and what is told of it.
    struct Damage: Sendable, CustomTestStringConvertible {
        let sql: String
        let table: String
        let row: String
        let words: String

        init(_ sql: String, _ table: String, _ row: String, _ words: String) {
            (self.sql, self.table, self.row, self.words) = (sql, table, row, words)
        }

        var testDescription: String { sql }
    }

    private static let unicast = "(SELECT min(seq) FROM psp.log WHERE kind = 0 AND target >> 56 = 1)"
    private static let group = "(SELECT min(seq) FROM psp.log WHERE kind = 0 AND target >> 56 = 3)"
    private static let configuration = "(SELECT max(seq) FROM psp.current_config)"

    static let damages: [Damage] = [
        Damage("DELETE FROM psp.meta WHERE key = 'swept'", "meta", "key swept", "there is no such number"),
        Damage("UPDATE psp.meta SET value = 1 WHERE key = 'ordinal'", "meta", "key ordinal", "it is 1, but"),
        Damage(
            "UPDATE psp.meta SET value = 1 << 40 WHERE key = 'directory_version'", "meta", "key directory_version",
            "but the log ends"),
        Damage("DELETE FROM psp.clock", "clock", "clocks", "there are 0 of them"),
        Damage("UPDATE psp.clock SET lowest = shift + 1", "clock", "shift ", "tasks that are looked up by time are missed"),
        Damage("UPDATE psp.store_number SET from_seq = from_seq + 1", "store_number", "position 0", "no number for their ids"),
        Damage("INSERT INTO psp.store_number VALUES (2, -1)", "store_number", "from 2", "-1 is no number"),
        Damage("INSERT INTO psp.log_part VALUES (99999999999)", "log_part", "last", "there is no table psp.log_99999999999"),
        Damage("DELETE FROM psp.log_part WHERE first = 1", "log_part", "log_1", "does not tell that it begins at 1"),
        Damage(
            "ALTER TABLE psp.log DETACH PARTITION psp.log_16777217", "log", "log_1",
            "no partition from 16777217 on: pushes will fail"),
        Damage("INSERT INTO psp.app_rate VALUES (999, 0, 0, 0, 0)", "app_rate", "app 999", "there is no such app"),
        Damage("UPDATE psp.org SET path = path || 77 WHERE org = 2", "org", "org 2", "is not itself and its parent's path"),
        Damage("UPDATE psp.org SET removed = true WHERE org = 1", "org", "org 2", "its parent 1 does not exist"),
        Damage("UPDATE psp.org SET android = android + 1 WHERE org = 1", "org", "org 1", "and there are"),
        Damage("DELETE FROM psp.org_parent WHERE org = 3", "org_parent", "org 3", "and 0 do"),
        Damage("INSERT INTO psp.org_parent VALUES (999, 1, 2, NULL)", "org_parent", "org 999 from 1", "is of no organisation"),
        Damage("UPDATE psp.device SET org = 999 WHERE ordinal = 1", "device", "ordinal 1", "its organisation 999 does not exist"),
        Damage("UPDATE psp.device SET holder = 999 WHERE ordinal = 1", "device", "ordinal 1", "its user 999 does not exist"),
        Damage(
            "UPDATE psp.device SET token = 'd3' WHERE ordinal = 1", "device", "ordinal 1", "2 devices have its token"),
        Damage("UPDATE psp.device SET org_since = 1 << 40 WHERE ordinal = 1", "device", "ordinal 1", "are in no order"),
        Damage("UPDATE psp.device SET token_hash = 1 WHERE ordinal = 2", "device", "ordinal 2", "the device cannot connect"),
        Damage("DELETE FROM psp.session WHERE ordinal = 1", "session", "ordinal 1", "so that it cannot connect"),
        Damage("INSERT INTO psp.session (ordinal, cursor) VALUES (999, 1)", "session", "ordinal 999", "there is no such device"),
        Damage("UPDATE psp.session SET cursor = 1 << 40 WHERE ordinal = 1", "session", "ordinal 1", "is beyond the log's end"),
        Damage("UPDATE psp.session SET beyond = '{1}' WHERE ordinal = 1", "session", "ordinal 1", "the acknowledged position 1"),
        Damage(
            "UPDATE psp.session SET session = 5, node = NULL WHERE ordinal = 1", "session", "ordinal 1",
            "a connection without a node"),
        Damage("INSERT INTO psp.past_org VALUES (999, 1, 2, 1)", "past_org", "ordinal 999 from 1", "is no device's past"),
        Damage("INSERT INTO psp.past_test VALUES (999, 1, 2)", "past_test", "ordinal 999 from 1", "is no device's past"),
        Damage("UPDATE psp.log SET app = 999 WHERE seq = \(unicast)", "log", "seq ", "its app 999 does not exist"),
        Damage("UPDATE psp.log SET target = 1::bigint << 56 | 999 WHERE seq = \(unicast)", "log", "seq ", "does not exist"),
        Damage("UPDATE psp.log SET ended_at = 1 WHERE seq = \(unicast)", "log", "seq ", "and the time of that do not fit"),
        Damage("UPDATE psp.log SET body_end = 9999 WHERE seq = \(unicast)", "log", "seq ", "lies outside of its payload"),
        Damage("UPDATE psp.log SET kind = 2 WHERE seq = \(unicast)", "log", "seq ", "what it refers to do not fit"),
        Damage(
            "UPDATE psp.log SET created = created + 9000000 WHERE seq = \(group)", "log", "seq ",
            "ms before an earlier position"),
        Damage("UPDATE psp.log SET biz_hash = 1 WHERE biz IS NOT NULL", "log", "seq ", "the hash of its out_biz_no"),
        Damage("UPDATE psp.log SET tag_hash = NULL WHERE tag IS NOT NULL", "log", "seq ", "the hash of its tag"),
        Damage("DELETE FROM psp.log WHERE seq = (SELECT min(seq) FROM psp.receipt)", "receipt", "seq ", "there is no such task"),
        Damage("DELETE FROM psp.log WHERE seq = (SELECT min(seq) FROM psp.mark)", "mark", "seq ", "there is no such task"),
        Damage("UPDATE psp.receipt SET bits = '\\x00' WHERE bits IS NOT NULL", "receipt", "seq ", "cannot be read"),
        Damage("UPDATE psp.receipt SET mark = 3 WHERE bits IS NULL", "receipt", "seq ", "the mark 3 does not belong there"),
        Damage("UPDATE psp.receipt SET bits = NULL, chunk = -1 WHERE bits IS NOT NULL", "receipt", "seq ", "it is no unicast"),
        Damage(
            "UPDATE psp.receipt SET chunk = 7 WHERE bits IS NOT NULL", "receipt", "seq ", "names a device that there never was"),
        Damage("UPDATE psp.log SET targeted = 0 WHERE kind = 0", "receipt", "seq ", "and was for 0"),
        Damage("INSERT INTO psp.event VALUES (\(unicast), 9, 1)", "event", "seq ", "(9) is of no task, or of no device"),
        Damage(
            "UPDATE psp.log SET status = 2, ended_at = created WHERE seq = \(configuration)", "current_config", "seq ",
            "has not ended"),
        Damage("DELETE FROM psp.current_config", "current_config", "seq ", "who joins later does not get it"),
        Damage("UPDATE psp.app SET secret = ''", "app", "app ", "no signature is right"),
        Damage("UPDATE psp.current_config SET slot = 1", "current_config", "seq ", "a newer one will not supersede it"),
        Damage(
            """
            INSERT INTO psp.current_config SELECT slot, seq + 100000, target, target_kind, app, tag, test, within
            FROM psp.current_config WHERE seq = \(configuration)
            """, "current_config", "seq ", "have 2 current ones"),
        Damage(
            "INSERT INTO psp.job (position, kind, subject, object, place) VALUES (1, 6, 999, 0, 0)", "job", "number ",
            "its work 6 is of no organisation or device 999"),
        Damage(
            "INSERT INTO psp.operator_session VALUES ('\\x0102', 999, 0, 0)", "operator_session", "key 0102", "its operator 999"),
        Damage("DELETE FROM psp.audit_ahead", "audit_ahead", "ahead ", "entries that are looked up by time are missed"),
        Damage("INSERT INTO psp.import_part VALUES (999, 1, 1, '')", "import_part", "import 999", "its text has secrets"),
        Damage(
            "INSERT INTO psp.import (import_id, state, node, started) VALUES ('x', 1, 0, 0)", "import", "import ", "is never done"
        ),
        Damage("SELECT setval('psp.app_app_seq', 1, false)", "sequences", "psp.app_app_seq", "was given already"),
    ]

    /// A store that nodes have used, with something of everything that is examined.
    private func used() async throws -> (store: PostgresUnderTest, fixture: ContractFixture) {
        let store = try await PostgresUnderTest()
        let fixture = try await StoreKind("shared") { _ in store }.furnished()
        let port = fixture.port
        try await port.push(.message(.device("d1"), tag: "t", bizNo: "order-1"))
        try await port.push(.message(.organisation("root"), tag: "t"))
        try await port.push(.configuration(.organisation("east"), tag: "c"))
        let session = try await port.connect("d1")
        session.settle(try await session.read())
        session.disconnect()
        try await port.push(.message(.organisation("east")))
        try await port.move("d3", to: "east")
        try await port.removeDevice("d2")
        try await fixture.makeOperator("ann", .viewer)
        port.record(AuditEntry(.installation, .deviceRead, AuditTarget(.device, "d1")))
        _ = try await port.audit(AuditFilter(), after: nil, limit: 1, by: .installation)
        _ = try await port.counts(try await port.push(.message(.device("d3"))))
        return (store, fixture)
    }

    private func findings(_ store: PostgresUnderTest) async throws -> [StoreFinding] {
        try await SharedStoreExamination(of: store.database.options) { _ in }.findings
    }

    @Test func eachKindOfDamageIsToldInASentenceThatSaysWhere() async throws {
        let (store, fixture) = try await used()
        withExtendedLifetime(fixture) {}
        // While nodes go on.
        #expect(try await findings(store) == [])
        store.close()
        let server = try await withSharedPostgres { $0 }
        let name = store.database.name
        let administration = try await PostgresClient(
            PostgresOptions(try PostgresAddress(parsing: "postgres://postgres@127.0.0.1:\(server.port)/postgres")))
        await store.database.close()
        for damage in Self.damages {
            try await administration.run("DROP DATABASE IF EXISTS damaged WITH (FORCE)")
            try await administration.run("CREATE DATABASE damaged TEMPLATE \(name)")
            let options = PostgresOptions(
                try PostgresAddress(parsing: "postgres://postgres@127.0.0.1:\(server.port)/damaged"))
            let client = try await PostgresClient(options)
            try await client.run(damage.sql)
            await client.close()
            let found = try await SharedStoreExamination(of: options) { _ in }.findings
            #expect(
                found.contains {
                    $0.table == damage.table && $0.row.hasPrefix(damage.row) && $0.problem.english.contains(damage.words)
                }, "\(damage.sql): \(found.map { "\($0.table) \($0.row): \($0.problem.english)" })")
        }
        try await administration.run("DROP DATABASE damaged WITH (FORCE)")
        await administration.close()
    }

    @Test("nothing is found in what random walks have made, of nodes or of a copy", arguments: 1...2 as ClosedRange<UInt64>)
    func healthy(seed: UInt64) async throws {
        let made = Made()
        let kind = StoreKind("copied", unclaimed: StoreKind.copied.unclaimed) { variation in
            let store = try CopiedUnderTest(variation: variation)
            await made.keep(store)
            return store
        }
        let walk = try await RandomWalk(kind, seed: seed)
        try await walk.run(100)
        try await walk.restart()
        let store = try #require(await made.store?.shared)
        #expect(try await findings(store) == [])
        try await walk.run(100)
        #expect(try await findings(store) == [])
    }

    private actor Made {
        private(set) var store: CopiedUnderTest?
        func keep(_ store: CopiedUnderTest) { self.store = store }
    }
}
