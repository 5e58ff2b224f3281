internal import Postgres

/// Brings a database's schema to the version of this program.
struct SchemaMigration {
    /// Why it was not done.
    enum Failure: Error, CustomStringConvertible {
        /// A later program has brought it further.
        case newer(Int)
        case failed(String)

        var description: String {
            switch self {
            case .newer(let version):
                "the database's schema has version \(version), and this program knows versions up to \(Schema.version): use the "
                    + "newer program"
            case .failed(let reason): reason
            }
        }
    }

    let connection: PostgresConnection

    /// - Returns: the version that was found; 0 where there was nothing.
    func version() async throws(Failure) -> Int {
        let there = try await number("SELECT (to_regclass('psp.meta') IS NOT NULL)::integer::bigint")
        guard there == 1 else { return 0 }
        return Int(try await number("SELECT value FROM psp.meta WHERE key = 'schema_version'"))
    }

    /// One transaction: all of it or nothing. Two programs that migrate at the same time do it one after the other.
    /// - Returns: the version from which it came.
    @discardableResult
    func run() async throws(Failure) -> Int {
        let from = try await version()
        guard from <= Schema.version else { throw .newer(from) }
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
                  RAISE EXCEPTION 'another program has migrated the schema';
                END IF;
              ELSIF \(from) > 0 THEN
                RAISE EXCEPTION 'the schema is gone';
              END IF;
            END $check$;
            \(Schema.steps[from...].joined(separator: "\n"))
            \(Schema.functions.joined(separator: "\n"))
            INSERT INTO meta (key, value) VALUES ('schema_version', \(Schema.version))
              ON CONFLICT (key) DO UPDATE SET value = excluded.value;
            COMMIT;
            """
        switch await connection.call(PostgresCall(script: script)) {
        case .rows, .tooLarge: return from
        case .failed(let error): throw .failed("\(error)")
        case .unknown(let doubt): throw .failed("\(doubt)")
        case .unavailable(let reason): throw .failed("\(reason)")
        }
    }

    private func number(_ sql: String) async throws(Failure) -> Int64 {
        switch await connection.call(PostgresCall(PostgresStatement(sql))) {
        case .rows(let rows):
            do { if rows.count == 1, let value = try rows.int8(0, 0) { return value } } catch { throw .failed("\(error)") }
            throw .failed("no schema's version")
        case .tooLarge: throw .failed("no schema's version")
        case .failed(let error): throw .failed("\(error)")
        case .unknown(let doubt): throw .failed("\(doubt)")
        case .unavailable(let reason): throw .failed("\(reason)")
        }
    }
}
