internal import Base
package import Postgres
package import Push

/// Fills an empty schema from elsewhere in one transaction: all of it is there afterwards or nothing, however it ends. No node
/// joins meanwhile; one that tries is told why not (`join_1`).
///
/// Rows go in large calls, of which one is on its way while the next is put together.
package final class SchemaFilling {
    /// Why it is not done.
    package struct Failure: Error {
        package let text: BilingualText
        /// Whether all of it may be there all the same.
        package let isInDoubt: Bool

        init(_ chinese: String, _ english: String, isInDoubt: Bool = false) {
            (text, self.isInDoubt) = (BilingualText(chinese, english), isInDoubt)
        }

        init(_ text: BilingualText) { (self.text, isInDoubt) = (text, false) }
    }

    /// Whether a statement runs in the transaction that this has begun. A session that was lost and has come again is none of it:
    /// there a statement would be committed alone.
    static let guarded = "current_setting('psp.filling', true) = 'yes'"

    /// How long one statement may take: the last ones sum up whole tables, and indexes grow.
    private static let patience = Duration.seconds(3_600)

    private let connection: PostgresConnection
    private var table: FilledTable?
    private var rows = FilledRows()
    private var onItsWay: (outcome: Task<PostgresOutcome, Never>, table: String, count: Int)?

    /// Runs `body` between the beginning and the commit. Where there is no schema, it is made first.
    /// - Throws: ``Failure``, or what `body` throws: then nothing is filled, unless that is in doubt.
    package static func run(
        _ database: PostgresOptions, _ body: (SchemaFilling) async throws -> Void
    ) async throws {
        var options = database
        // It is one transaction, however long it takes.
        options.settings += [
            ("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0"), ("lock_timeout", "10s"), ("jit", "off"),
        ]
        do {
            try await ShortConnection.with(options) { connection in
                try await prepare(connection)
                let filling = SchemaFilling(connection)
                try await filling.begin()
                try await body(filling)
                try await filling.commit()
            }
        } catch let failure as MigrationFailure {
            throw Failure(failure.text)
        }
    }

    private init(_ connection: PostgresConnection) { self.connection = connection }

    /// A database without a schema gets one; one of another version is left as it is.
    private static func prepare(_ connection: PostgresConnection) async throws {
        let migration = SchemaMigration(connection: connection)
        let version = try await migration.version()
        if version == 0 { return _ = try await migration.run() }
        guard version == Schema.version else { throw MigrationFailure.unfit(version) }
    }

    // MARK: The transaction

    private func begin() async throws {
        _ = try await ask("BEGIN")
        _ = try await ask(
            """
            SELECT set_config('psp.filling', 'yes', true), set_config('search_path', 'psp, pg_temp', true),
              set_config('plan_cache_mode', 'force_custom_plan', true)
            """)
        let isAlone = try await ask("SELECT pg_try_advisory_xact_lock(1886613553, 4)")
        guard try isAlone.bool(0, 0) == true else {
            throw Failure(
                "另一个程序正在向该数据库复制，或有节点正在加入", "another program copies into this database, or a node joins at this moment")
        }
        _ = try await ask("SELECT pg_advisory_xact_lock(1886613553, 0)")
        let nodes = try await ask(
            """
            SELECT string_agg(name, ', ' ORDER BY name) FROM psp.node
            WHERE lease > psp.store_time(psp.wall() + (SELECT shift FROM psp.clock))
            """)
        if let names = try nodes.text(0, 0) {
            throw Failure(
                "有节点正在使用该数据库（\(names)）：请先停止，并给出一个空的数据库",
                "nodes use this database (\(names)): end them, and name a database that is empty")
        }
        try await refuseContent()
        _ = try await ask("DELETE FROM psp.node WHERE \(Self.guarded)")
    }

    /// What may be there: what a migration makes.
    private func refuseContent() async throws {
        let tables = [
            "app", "org", "org_parent", "holder", "device", "past_org", "past_test", "log", "current_config", "receipt", "mark",
            "event", "session", "job", "nonce", "nonce_forgotten", "operator", "operator_session", "audit", "refusal", "import",
            "import_part", "import_failure", "app_rate",
        ]
        let looks = tables.map { "(SELECT '\($0)' FROM psp.\($0) LIMIT 1)" }.joined(separator: ", ")
        guard let table = try await ask("SELECT coalesce(\(looks))").text(0, 0) else { return }
        throw Failure(
            "数据库不是空的（表 psp.\(table) 中有内容）：请给出一个新的数据库，或者如果不再需要其中的内容，先执行 DROP SCHEMA psp CASCADE",
            "the database is not empty (psp.\(table) has rows): name a new one, or, if nobody needs what it holds, DROP SCHEMA "
                + "psp CASCADE first")
    }

    private func commit() async throws {
        try await settle()
        // Without the transaction it would be a warning.
        let isWhole = try await ask("SELECT \(Self.guarded)")
        guard try isWhole.bool(0, 0) == true else { throw Self.sessionLost }
        switch await connection.call(PostgresCall(PostgresStatement("COMMIT"), deadline: Self.patience)) {
        case .rows: break
        case .unknown(let doubt):
            throw Failure(
                "不能确定内容是否已提交（\(doubt)）：请再次执行；若已提交，会提示数据库不是空的",
                "nobody knows whether it was committed (\(doubt)): run it again; if it was, you are told that the database is "
                    + "not empty", isInDoubt: true)
        case let outcome: throw Failure(outcome.words)
        }
        // Nothing depends on it: without it the first plans are worse.
        let analyze = "ANALYZE psp.log, psp.device, psp.session, psp.org, psp.receipt, psp.mark, psp.event, psp.audit"
        _ = await connection.call(PostgresCall(script: analyze, deadline: .seconds(600)))
    }

    private static let sessionLost = Failure(
        "与数据库的会话中断：什么也没有复制，请再次执行", "the session with the database was lost: nothing is copied, run it again")

    // MARK: Rows

    /// Puts a row into a table, with those before and after it.
    package func insert(_ row: [FilledValue], into table: FilledTable) async throws {
        if self.table?.name != table.name { try await send() }
        self.table = table
        rows.append(row)
        if rows.isFull { try await send() }
    }

    /// Sends what is put together, when what is on its way has come.
    private func send() async throws {
        guard let table, rows.count > 0 else { return }
        let call = PostgresCall(table.statement, rows.arguments(of: table), deadline: Self.patience)
        let count = rows.count
        rows = FilledRows()
        try await arrive()
        let connection = connection
        onItsWay = (Task { await connection.call(call) }, table.name, count)
    }

    private func arrive() async throws {
        guard let (outcome, table, count) = onItsWay else { return }
        onItsWay = nil
        switch await outcome.value {
        case .rows(let done):
            guard done.affected == count else { throw Self.sessionLost }
        case .unknown, .unavailable: throw Self.sessionLost
        case let outcome: throw Failure(outcome.words.after("psp.\(table)"))
        }
    }

    /// Until all rows are in their tables.
    package func settle() async throws {
        try await send()
        try await arrive()
    }

    // MARK: Statements

    /// Runs a statement when all rows before it are there.
    /// - Parameter sql: it must do nothing where ``guarded`` does not hold, which is put in the place of `@filling`.
    @discardableResult
    package func run(_ sql: String, _ arguments: PostgresArguments = PostgresArguments()) async throws -> PostgresRows {
        try await settle()
        return try await ask(sql.replacing("@filling", with: Self.guarded), arguments)
    }

    private func ask(_ sql: String, _ arguments: PostgresArguments = PostgresArguments()) async throws -> PostgresRows {
        switch await connection.call(PostgresCall(PostgresStatement(sql), arguments, deadline: Self.patience)) {
        case .rows(let rows): return rows
        case .failed(let error) where error.state == SQLState("55P03"):
            throw Failure(
                "数据库正被占用（\(error)）：请停止所有节点后再试", "somebody holds the database (\(error)): end all nodes and try again")
        case .unknown, .unavailable: throw Self.sessionLost
        case let outcome: throw Failure(outcome.words)
        }
    }
}
