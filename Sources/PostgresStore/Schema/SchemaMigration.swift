internal import Postgres
public import Push

/// Why a database's schema was not brought to the version of this program.
public struct MigrationFailure: Error, Hashable, CustomStringConvertible {
    /// In a sentence.
    public let text: BilingualText
    /// Why there is no session, where that is why.
    var loss: PostgresLoss?

    /// The same in English.
    public var description: String { text.english }
}

extension MigrationFailure {
    /// A later program has brought it further.
    static func newer(_ version: Int) -> MigrationFailure {
        MigrationFailure(
            text: BilingualText(
                "数据库表的版本为 \(version)，本程序只认识 \(Schema.version) 及以下的版本：请换用较新的 pspctl",
                "the database's schema has version \(version), and this program knows versions up to \(Schema.version): use the "
                    + "newer program"))
    }

    /// Another version than this program's was found; 0: no tables at all.
    static func unfit(_ version: Int) -> MigrationFailure {
        if version > Schema.version { return newer(version) }
        return MigrationFailure(
            text: version == 0
                ? BilingualText(
                    "数据库中没有推送服务器的表：请检查地址中的数据库名，或先执行 pspctl store migrate",
                    "the database has no tables of the push server: see that the address names the right one, or run pspctl "
                        + "store migrate first"
                )
                : BilingualText(
                    "数据库的表为版本 \(version)，本程序的版本为 \(Schema.version)：请先执行 pspctl store migrate",
                    "the database's schema has version \(version), and this program's is \(Schema.version): run pspctl "
                        + "store migrate first"
                ))
    }

    fileprivate static func failed(_ outcome: PostgresOutcome) -> MigrationFailure {
        MigrationFailure(text: outcome.wordsWithRemedy)
    }

    fileprivate static let noVersion = MigrationFailure(text: BilingualText("读不到数据库表的版本", "no schema's version"))
}

/// Brings a database's schema to the version of this program.
struct SchemaMigration {
    let connection: PostgresConnection

    /// - Returns: the version that was found; 0 where there was nothing.
    func version() async throws(MigrationFailure) -> Int {
        let there = try await number("SELECT (to_regclass('psp.meta') IS NOT NULL)::integer::bigint")
        guard there == 1 else { return 0 }
        return Int(try await number("SELECT value FROM psp.meta WHERE key = 'schema_version'"))
    }

    /// One transaction: all of it or nothing. Two programs that migrate at the same time do it one after the other, and so does
    /// one whose predecessor was broken off while the server still makes its tables.
    /// - Returns: the version from which it came.
    @discardableResult
    func run() async throws(MigrationFailure) -> Int {
        while true {
            let from = try await version()
            guard from <= Schema.version else { throw .newer(from) }
            if try await run(from: from) { return from }
        }
    }

    /// - Returns: false where the version is no longer the one that was found, and nothing was done.
    private func run(from: Int) async throws(MigrationFailure) -> Bool {
        let script = """
            BEGIN;
            SELECT pg_advisory_xact_lock(1886613553, 2);
            CREATE SCHEMA IF NOT EXISTS psp;
            REVOKE ALL ON SCHEMA psp FROM PUBLIC;
            SET LOCAL search_path = psp, pg_temp;
            SET LOCAL client_min_messages = warning;
            DO $check$ BEGIN
              IF to_regclass('psp.meta') IS NOT NULL THEN
                IF (SELECT value FROM psp.meta WHERE key = 'schema_version') <> \(from) THEN
                  RAISE EXCEPTION 'another program has migrated the schema' USING ERRCODE = '\(Self.otherVersion)';
                END IF;
              ELSIF \(from) > 0 THEN
                RAISE EXCEPTION 'the schema is gone' USING ERRCODE = '\(Self.otherVersion)';
              END IF;
            END $check$;
            \(Schema.steps[from...].joined(separator: "\n"))
            \(Schema.functions.joined(separator: "\n"))
            INSERT INTO meta (key, value) VALUES ('schema_version', \(Schema.version)), ('functions', \(Schema.digest))
              ON CONFLICT (key) DO UPDATE SET value = excluded.value;
            COMMIT;
            """
        switch await connection.call(PostgresCall(script: script)) {
        case .rows, .tooLarge: return true
        case .failed(let error) where error.state == Self.otherVersion:
            // The failed script has left its transaction open.
            _ = await connection.call(PostgresCall(script: "ROLLBACK"))
            return false
        case let outcome: throw .failed(outcome)
        }
    }

    private static let otherVersion: SQLState = "PSVER"

    private func number(_ sql: String) async throws(MigrationFailure) -> Int64 {
        switch await connection.call(PostgresCall(PostgresStatement(sql))) {
        case .rows(let rows):
            guard rows.count == 1, let value = (try? rows.int8(0, 0)) ?? nil else { throw .noVersion }
            return value
        case let outcome: throw .failed(outcome)
        }
    }
}
