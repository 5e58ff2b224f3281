internal import Base
internal import PostgresStore
internal import Push
internal import SQLiteStore
internal import StoreCore

// Operators, what they did, imports, and what signed requests have used up.

extension CopyWork {
    func copyOperators() async throws {
        let table = FilledTable(
            "operator",
            [
                "number": .number, "name": .bytes, "display_name": .bytes, "role": .number, "scope": .bytes, "disabled": .flag,
                "password": .bytes, "created": .number, "last_login": .number,
            ])
        let rows = try source.rows(
            "SELECT number, name, display_name, role, scope, disabled, password, created, last_login FROM operator")
        while try rows.next() {
            try await insert(
                [
                    .number(rows.number(0)), .bytes(rows.bytes(1)), .bytes(rows.bytes(2)), .number(rows.number(3)),
                    .bytes(rows.bytes(4)), .flag(rows.number(5) != 0), .bytes(rows.bytes(6)), .number(rows.number(7)),
                    .number(rows.optionalNumber(8)),
                ], into: table)
        }
        try await setSequence(
            of: "operator", "number", atLeast: try source.count("SELECT seq FROM sqlite_sequence WHERE name = 'operator'"))
        // What was withdrawn after a copy was made would hold again.
        guard source.isCertain else { return }
        let sessions = FilledTable(
            "operator_session", ["key": .bytes, "holder": .number, "created": .number, "expires": .number, "client": .bytes])
        let begun = try source.rows("SELECT key, holder, created, expires, client FROM operator_session")
        while try begun.next() {
            try await insert(
                [
                    .bytes(begun.bytes(0)), .number(begun.number(1)), .number(begun.number(2)), .number(begun.number(3)),
                    .bytes(begun.optionalText(4).flatMap { IPAddress($0) }?.storedBytes),
                ], into: sessions)
        }
    }

    // MARK: The audit log

    func copyAudit() async throws {
        let table = FilledTable(
            "audit",
            [
                "at": .number, "number": .number, "ahead": .number, "seen": .number, "operator": .number, "scope": .number,
                "code": .number, "caller": .bytes, "name": .bytes, "client": .bytes, "request_id": .bytes, "action": .bytes,
                "kind": .bytes, "target": .bytes, "task": .bytes, "details": .bytes, "orgs": .numbers("integer[]"),
            ])
        let rows = try source.rows(
            """
            SELECT number, at, ahead, operator, scope, code, caller, name, client, request_id, action, kind, target, task,
              details, orgs FROM audit ORDER BY number
            """)
        var latest = Int64.min
        while try rows.next() {
            // There their order is that of time, and here of numbers: what people see stays as it is.
            let seen = rows.number(1) + rows.number(2)
            latest = max(latest, source.stretches.meaning(ofStamp: rows.number(1)))
            let orgs = Self.organisations(rows.optionalText(15))
            try await insert(
                [
                    .number(latest), .number(rows.number(0)), .number(seen - latest), .number(rows.number(0)),
                    .number(rows.optionalNumber(3)), .number(rows.optionalNumber(4)), .number(rows.number(5)),
                    .bytes(rows.bytes(6)), .bytes(rows.bytes(7)), .bytes(rows.address(8)?.storedBytes), .bytes(rows.bytes(9)),
                    .bytes(rows.bytes(10)), .bytes(rows.bytes(11)), .bytes(rows.bytes(12)), .bytes(rows.bytes(13)),
                    .bytes(rows.bytes(14)), orgs.isEmpty ? .null : .numbers(orgs),
                ], into: table)
        }
        try await filling.run("INSERT INTO psp.audit_ahead SELECT DISTINCT ahead FROM psp.audit WHERE @filling")
        try await filling.run(
            """
            SELECT setval('psp.audit_number', m.last) FROM (SELECT max(number) AS last FROM psp.audit) m
            WHERE m.last IS NOT NULL AND @filling
            """)
        try await copyRefusals()
    }

    /// Numbers that stand between slashes.
    private static func organisations(_ text: String?) -> [Int64] {
        Set((text ?? "").split(separator: "/").compactMap { Int64($0) }).sorted()
    }

    private func copyRefusals() async throws {
        let table = FilledTable(
            "refusal",
            [
                "minute": .number, "listener": .number, "name": .bytes, "client": .bytes, "code": .number, "ahead": .number,
                "count": .number,
            ])
        let rows = try source.rows("SELECT minute, listener, name, client, code, ahead, count FROM refusal")
        while try rows.next() {
            try await insert(
                [
                    .number(rows.number(0)), .number(rows.number(1)), .bytes(rows.bytes(2) ?? []),
                    .bytes(rows.address(3)?.storedBytes ?? []), .number(rows.number(4)), .number(rows.number(5)),
                    .number(rows.number(6)),
                ], into: table)
        }
    }

    // MARK: Imports

    /// Those that go on, and those that are over. What is left of others the next start of the embedded store would have removed.
    func copyImports() async throws {
        let table = FilledTable(
            "import",
            [
                "import": .number, "import_id": .bytes, "state": .number, "attempts": .number, "node": .number, "lines": .number,
                "line": .number, "created": .number, "updated": .number, "failed": .number, "started": .number, "ended": .number,
                "took": .number, "place": .number, "beginner": .number,
            ])
        let rows = try source.rows(
            """
            SELECT import, import_id, state, attempts, lines, line, created, updated, failed, started, ended, took, beginner
            FROM import WHERE state IN (1, 2, 3) ORDER BY started, import
            """)
        var place: Int64 = 0
        while try rows.next() {
            place += 1
            try await insert(
                [
                    .number(rows.number(0)), .bytes(rows.bytes(1)), .number(rows.number(2)), .number(rows.number(3)),
                    // No node: any takes it, and there it takes microseconds instead of nanoseconds.
                    .number(0), .number(rows.number(4)), .number(rows.number(5)), .number(rows.number(6)),
                    .number(rows.number(7)), .number(rows.number(8)), .number(rows.number(9)), .number(rows.optionalNumber(10)),
                    .number(rows.number(11) / 1_000), .number(place), .number(rows.optionalNumber(12)),
                ], into: table)
        }
        try await copyImportedLines()
        try await setSequence(
            of: "import", "import", atLeast: try source.count("SELECT seq FROM sqlite_sequence WHERE name = 'import'"))
        try await filling.run("SELECT setval('psp.import_place', \(max(place, 1))) WHERE @filling")
    }

    private func copyImportedLines() async throws {
        let parts = FilledTable(
            "import_part", ["import": .number, "first_line": .number, "lines": .number, "text": .bytes])
        let text = try source.rows(
            """
            SELECT part >> 32, part & 4294967295, lines, text FROM import_part
            WHERE part >> 32 IN (SELECT import FROM import WHERE state IN (1, 2, 3))
            """)
        while try text.next() {
            try await insert(
                [.number(text.number(0)), .number(text.number(1)), .number(text.number(2)), .bytes(text.bytes(3) ?? [])],
                into: parts)
        }
        let failures = FilledTable(
            "import_failure",
            ["import": .number, "line": .number, "code": .number, "field": .bytes, "chinese": .bytes, "english": .bytes])
        let lines = try source.rows(
            """
            SELECT import, line, code, field, chinese, english FROM import_failure
            WHERE import IN (SELECT import FROM import WHERE state IN (1, 2, 3))
            """)
        while try lines.next() {
            try await insert(
                [
                    .number(lines.number(0)), .number(lines.number(1)), .number(lines.number(2)), .bytes(lines.bytes(3)),
                    .bytes(lines.bytes(4)), .bytes(lines.bytes(5)),
                ], into: failures)
        }
    }

    // MARK: Signed requests

    func copyNonces() async throws {
        let used = FilledTable("nonce", ["time": .number, "hash": .number])
        let rows = try source.rows("SELECT timestamp, hash FROM nonce")
        while try rows.next() { try await insert([.number(rows.number(0)), .number(rows.number(1))], into: used) }
        // The embedded store numbers periods of ten minutes; the shared one has milliseconds.
        let period: Int64 = 600_000
        let forgotten = FilledTable("nonce_forgotten", ["first": .number, "last": .number])
        let ranges = try source.rows("SELECT first, last FROM nonce_forgotten")
        while try ranges.next() {
            try await insert(
                [.number(ranges.number(0) * period), .number((ranges.number(1) + 1) * period - 1)], into: forgotten)
        }
    }
}
