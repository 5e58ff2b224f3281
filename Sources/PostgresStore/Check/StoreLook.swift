internal import Postgres
internal import Push
internal import StoreCore

/// One reading of a shared store as of one moment, by statements of bounded answers: large tables come in pages.
final class StoreLook {
    /// How many rows that break one rule are told.
    static let most = 20
    private static let patience = Duration.seconds(3_600)

    private let connection: PostgresConnection
    /// Names of apps, by which rows are hashed.
    var apps: [Int32: String] = [:]

    init(_ connection: PostgresConnection) { self.connection = connection }

    /// What is looked at.
    enum Part { case partitions, rule(StoreRule), deviceHashes, logRows, configurationHashes, receipts }

    /// All of it, one after the other.
    static var parts: [Part] {
        [.partitions] + StoreRule.all.map { .rule($0) } + [.deviceHashes, .logRows, .configurationHashes, .receipts]
    }

    func findings(in part: Part) async throws -> [StoreFinding] {
        switch part {
        case .partitions: try await partitions()
        case .rule(let rule): try await broken(rule)
        case .deviceHashes: try await deviceHashes()
        case .logRows: try await logRows()
        case .configurationHashes: try await configurationHashes()
        case .receipts: try await receipts()
        }
    }

    /// - Returns: the version of the schema, which is this program's.
    func begin() async throws -> Int {
        let version = try await SchemaMigration(connection: connection).version()
        guard version == Schema.version else {
            throw MigrationFailure.unfit(version)
        }
        _ = try await ask("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _ = try await ask("SELECT set_config('psp.checking', 'yes', true), set_config('search_path', 'psp, pg_temp', true)")
        let rows = try await ask("SELECT app, appkey FROM psp.app", mostRows: .max)
        for row in 0..<rows.count { apps[try rows.present4(row, 0)] = try rows.name(row, 1) ?? "" }
        return version
    }

    /// - Returns: what there is, as of the same moment.
    func end() async throws -> [(name: String, count: Int)] {
        let rows = try await ask(
            """
            SELECT (SELECT count(*) FROM psp.app WHERE NOT removed), (SELECT count(*) FROM psp.org WHERE NOT removed),
              (SELECT count(*) FROM psp.device WHERE retired_seq = 9223372036854775807),
              (SELECT count(*) FROM psp.log WHERE kind <= 1), current_setting('psp.checking', true) = 'yes'
            """)
        // Of a session that has come in the place of a lost one nothing is of that moment.
        guard try rows.bool(0, 4) == true else {
            throw failure("与数据库的会话中断：请再次执行", "the session with the database was lost: run it again")
        }
        let names = ["apps", "organisations", "devices", "tasks"]
        return try names.enumerated().map { index, name in (name, Int(try rows.present8(0, index))) }
    }

    private func broken(_ rule: StoreRule) async throws -> [StoreFinding] {
        let rows = try await ask("SELECT * FROM (\(rule.sql)) broken LIMIT \(Self.most)")
        return try (0..<rows.count).map { row in
            let values = try (0..<rows.columnCount).map { try rows.text(row, $0) ?? "NULL" }
            return StoreFinding(rule.table, values[0], rule.problem, Array(values.dropFirst()))
        }
    }

    /// Rows of a large table, page by page in the order of a number.
    /// - Parameters:
    ///   - sql: begins with that number, and is told the last one in `$1` and how many rows in `$2`.
    ///   - body: returns whether it wants more.
    func pages(_ sql: String, atATime limit: Int32, _ body: (PostgresRows) throws -> Bool) async throws {
        let statement = PostgresStatement(sql)
        var last = Int64.min
        while true {
            var arguments = PostgresArguments()
            arguments.append(int8: last)
            arguments.append(int4: limit)
            let rows = try result(
                await connection.call(
                    PostgresCall(
                        statement, arguments, deadline: Self.patience, mostRows: .max, mostBytes: 256 << 20)))
            guard rows.count > 0 else { return }
            last = try rows.present8(rows.count - 1, 0)
            if try !body(rows) { return }
        }
    }

    func ask(_ sql: String, mostRows: Int = 10_000) async throws -> PostgresRows {
        try result(
            await connection.call(PostgresCall(PostgresStatement(sql), deadline: Self.patience, mostRows: mostRows)))
    }

    private func result(_ outcome: PostgresOutcome) throws -> PostgresRows {
        if case .rows(let rows) = outcome { return rows }
        throw SharedStoreExamination.Failure(text: outcome.words)
    }

    private func failure(_ chinese: String, _ english: String) -> SharedStoreExamination.Failure {
        SharedStoreExamination.Failure(text: BilingualText(chinese, english))
    }
}
