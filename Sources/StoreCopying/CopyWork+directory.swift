internal import PostgresStore
internal import Push
internal import SQLiteStore
internal import StoreCore

// Apps, organisations, users and devices, with where they were.

extension CopyWork {
    func copyApps() async throws {
        let table = FilledTable(
            "app",
            [
                "app": .number, "appkey": .bytes, "name": .bytes, "secret": .bytes, "former_secret": .bytes,
                "secret_used": .number, "former_secret_used": .number, "interfaces": .number, "scope": .bytes, "disabled": .flag,
                "hmac_only": .flag, "addresses": .bytes, "per_second": .number, "per_day": .number, "removed": .flag,
            ])
        let rows = try source.rows(
            """
            SELECT app, appkey, name, secret, former_secret, secret_used, former_secret_used, interfaces, scope, disabled,
              hmac_only, addresses, per_second, per_day, removed FROM app ORDER BY app
            """)
        while try rows.next() {
            apps[rows.number(0)] = AppKey(unchecked: rows.text(1))
            try await insert(
                [
                    .number(rows.number(0)), .bytes(rows.bytes(1)), .bytes(rows.bytes(2)), .bytes(rows.bytes(3)),
                    .bytes(rows.bytes(4)), .number(rows.optionalNumber(5)), .number(rows.optionalNumber(6)),
                    .number(rows.number(7)), .bytes(rows.bytes(8)), .flag(rows.number(9) != 0), .flag(rows.number(10) != 0),
                    .bytes(rows.bytes(11)), .number(rows.optionalNumber(12)), .number(rows.optionalNumber(13)),
                    .flag(rows.number(14) != 0),
                ], into: table)
        }
        // What is left of a second fills by itself; what was pushed on a day counts on.
        let rates = FilledTable(
            "app_rate", ["app": .number, "level": .number, "filled": .number, "day": .number, "pushes": .number])
        let days = try source.rows("SELECT app, day, pushes FROM app_day")
        while try days.next() {
            try await insert(
                [.number(days.number(0)), .number(0), .number(0), .number(days.number(1)), .number(days.number(2))],
                into: rates)
        }
        try await setSequence(of: "app", "app")
    }

    func copyOrganisations() async throws {
        let parents = FilledTable("org_parent", ["org": .number, "from_seq": .number, "to_seq": .number, "parent": .number])
        var above: [Int64: Int64] = [:]
        let intervals = try source.rows("SELECT org, from_seq, to_seq, parent FROM org_parent")
        while try intervals.next() {
            let (org, to, parent) = (intervals.number(0), intervals.position(2), intervals.optionalNumber(3))
            if to == MembershipHistory.forever { above[org] = parent }
            try await insert(
                [.number(org), .number(intervals.number(1)), .position(to), .number(parent)], into: parents)
        }
        let table = FilledTable(
            "org",
            [
                "org": .number, "org_id": .bytes, "name": .bytes, "parent": .number, "path": .numbers("integer[]"),
                "removed": .flag,
            ])
        var highest: Int64 = 0
        let rows = try source.rows("SELECT org, org_id, name, removed FROM org ORDER BY org")
        while try rows.next() {
            let (org, isRemoved) = (rows.number(0), rows.number(3) != 0)
            highest = org
            try await insert(
                [
                    .number(org), .bytes(rows.bytes(1)), .bytes(rows.bytes(2)), .number(isRemoved ? nil : above[org]),
                    .numbers(isRemoved ? [org] : path(of: org, above)), .flag(isRemoved),
                ], into: table)
        }
        // Nodes give the number after the highest that there is: one that is forgotten is not given to another one.
        let given = try source.number(.organisation)
        if given > highest {
            try await insert(
                [.number(given), .text(""), .text(""), .null, .numbers([given]), .flag(true)], into: table)
        }
    }

    /// An organisation and everything above it, the nearest first.
    private func path(of org: Int64, _ above: [Int64: Int64]) -> [Int64] {
        var path = [org]
        while let next = path.last.flatMap({ above[$0] }), !path.contains(next) { path.append(next) }
        return path
    }

    func copyDevices() async throws {
        let holders = FilledTable("holder", ["holder": .number, "user_id": .bytes])
        let users = try source.rows("SELECT user, user_id FROM holder")
        while try users.next() {
            try await insert([.number(users.number(0)), .bytes(users.bytes(1))], into: holders)
        }
        let table = FilledTable(
            "device",
            [
                "ordinal": .number, "token": .bytes, "token_hash": .number, "platform": .number, "org": .number,
                "org_since": .number, "holder": .number, "holder_since": .number, "test": .flag, "test_since": .number,
                "created_seq": .number, "retired_seq": .number, "salt": .bytes, "hash": .bytes, "certificate": .bytes,
            ])
        let rows = try source.rows(
            """
            SELECT ordinal, token, platform, org, org_since, user, user_since, test, test_since, created_seq, retired_seq, salt,
              hash, certificate FROM device ORDER BY ordinal
            """)
        while try rows.next() {
            try await insert(
                [
                    .number(rows.number(0)), .bytes(rows.bytes(1)), .number(StableHash.of(rows.text(1))),
                    .number(rows.number(2)), .number(rows.number(3)), .number(rows.number(4)), .number(rows.optionalNumber(5)),
                    .number(rows.number(6)), .flag(rows.number(7) != 0), .number(rows.number(8)), .number(rows.number(9)),
                    .number(rows.number(10)), .bytes(rows.bytes(11)), .bytes(rows.bytes(12)), .bytes(rows.bytes(13)),
                ], into: table)
        }
        try await copyProgress()
        let pastOrgs = FilledTable("past_org", ["ordinal": .number, "from_seq": .number, "to_seq": .number, "org": .number])
        let orgs = try source.rows("SELECT ordinal, from_seq, to_seq, org FROM past_org")
        while try orgs.next() {
            try await insert((0..<4).map { .number(orgs.number($0)) }, into: pastOrgs)
        }
        let pastTests = FilledTable("past_test", ["ordinal": .number, "from_seq": .number, "to_seq": .number])
        let tests = try source.rows("SELECT ordinal, from_seq, to_seq FROM past_test")
        while try tests.next() {
            try await insert((0..<3).map { .number(tests.number($0)) }, into: pastTests)
        }
    }

    /// How far devices are. A device that was never told anything begins where it was registered.
    private func copyProgress() async throws {
        let table = FilledTable(
            "session", ["ordinal": .number, "cursor": .number, "seen": .number, "beyond": .numbers("bigint[]")])
        let rows = try source.rows("SELECT ordinal, created_seq FROM device ORDER BY ordinal, created_seq")
        while try rows.next() {
            let (cursor, seen, beyond) = try source.progress(of: UInt32(truncatingIfNeeded: rows.number(0)))
            let settled = max(cursor, rows.position(1))
            let ahead = beyond.filter { $0 > settled }.map { Int64(bitPattern: $0) }
            try await filling.insert(
                [.number(rows.number(0)), .position(settled), .number(seen), ahead.isEmpty ? .null : .numbers(ahead)],
                into: table)
        }
    }
}
