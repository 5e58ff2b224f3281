internal import Base
internal import Push

/// `audit`: what operators did, by a number that grows. Times are store time, as it was counted when the entry was written, and
/// how far what people see was ahead of it.
final class AuditTable {
    /// What an entry is kept with, beside what it says.
    struct Keeping {
        /// Store time.
        let at: Int64
        /// How far what people see is ahead of that, in milliseconds.
        let ahead: Int64
        /// The number of the organisation to which the caller was confined.
        let scope: UInt32?
        /// The organisations in which the target was: see ``AuditTable/mark(_:)``.
        let organisations: String?
    }

    private let database: Database

    init(_ database: Database) { self.database = database }

    /// How one organisation of an entry's list is found in it.
    static func mark(_ organisation: UInt32) -> String { "/\(organisation)/" }

    func insert(_ entry: AuditEntry, _ keeping: Keeping) throws(SQLiteError) {
        let insert = try database.statement(
            """
            INSERT INTO audit(
              at, ahead, caller, name, scope, client, request_id, action, kind, target, task, code, orgs, operator, details)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, keeping.at)
        insert.bind(2, keeping.ahead)
        insert.bind(3, entry.caller.kind)
        insert.bind(4, entry.caller.name?.text)
        insert.bind(5, keeping.scope.map(Int64.init))
        insert.bind(6, entry.client)
        insert.bind(7, entry.requestID)
        insert.bind(8, entry.action.rawValue)
        insert.bind(9, entry.target?.kind.rawValue)
        insert.bind(10, entry.target?.id)
        insert.bind(11, entry.task)
        insert.bind(12, entry.code)
        insert.bind(13, keeping.organisations)
        insert.bind(14, entry.caller.identity?.number.value)
        insert.bind(15, AuditDetail.text(of: entry.details))
        try insert.run()
    }

    // MARK: Reading

    /// Who reads, where that bounds what is seen.
    struct Reader {
        let `operator`: OperatorNumber?
        /// The number of its scope; `nil` where that is no organisation any more, and nothing is seen.
        let scope: UInt32?
    }

    /// The numbers among which all entries are that people see in that time. Numbers follow store time, and what people see
    /// follows it too as long as the wall clock has not jumped; so of each distance between the two the first and the last are
    /// looked up.
    func numbers(from: Int64?, to: Int64?) throws(SQLiteError) -> Range<Int64> {
        guard from != nil || to != nil else { return 0..<Int64.max }
        var found: Range<Int64>?
        var ahead = try nextAhead(after: Int64.min)
        while let distance = ahead {
            let first = try first(distance, from: from.map { Self.difference($0, distance) } ?? Int64.min)
            let last = try last(distance, before: to.map { Self.difference($0, distance) } ?? Int64.max)
            if let first, let last, first <= last {
                found = min(found?.lowerBound ?? first, first)..<max(found?.upperBound ?? 0, last + 1)
            }
            ahead = try nextAhead(after: distance)
        }
        return found ?? 0..<0
    }

    /// Times that somebody asks for are any numbers.
    private static func difference(_ time: Int64, _ distance: Int64) -> Int64 {
        let (difference, overflow) = time.subtractingReportingOverflow(distance)
        return overflow ? (time < 0 ? Int64.min : Int64.max) : difference
    }

    private func nextAhead(after distance: Int64) throws(SQLiteError) -> Int64? {
        try number(
            database.statement("SELECT ahead FROM audit INDEXED BY audit_by_time WHERE ahead > ? ORDER BY ahead LIMIT 1"),
            distance)
    }

    private func first(_ distance: Int64, from time: Int64) throws(SQLiteError) -> Int64? {
        try number(
            database.statement("SELECT number FROM audit WHERE ahead = ? AND at >= ? ORDER BY at, number LIMIT 1"), distance, time
        )
    }

    private func last(_ distance: Int64, before time: Int64) throws(SQLiteError) -> Int64? {
        try number(
            database.statement("SELECT number FROM audit WHERE ahead = ? AND at < ? ORDER BY at DESC, number DESC LIMIT 1"),
            distance, time)
    }

    private func number(_ query: Statement, _ values: Int64...) throws(SQLiteError) -> Int64? {
        for (index, value) in values.enumerated() { query.bind(Int32(index + 1), value) }
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    /// Calls `body` with the entries among those numbers that match, newest first, as long as it returns true. It looks at so
    /// many at most.
    /// - Returns: the number before which it would go on; `nil` at the end.
    func forEach(
        in numbers: Range<Int64>, _ filter: AuditFilter, seenBy reader: Reader?, looking most: Int,
        _ body: (AuditRecord) -> Bool
    ) throws(SQLiteError) -> Int64? {
        let query = try candidates(filter)
        query.bind(1, numbers.upperBound)
        query.bind(2, numbers.lowerBound)
        defer { query.reset() }
        var looked = 0
        while try query.step() {
            let number = query.int(0)
            looked += 1
            if Self.matches(query, filter, reader), let record = Self.record(query), !body(record) { return number }
            if looked == most { return number }
        }
        return nil
    }

    /// By the index that chooses best.
    private func candidates(_ filter: AuditFilter) throws(SQLiteError) -> Statement {
        if let task = filter.task {
            let query = try database.statement(
                """
                SELECT number, at, ahead, caller, name, scope, client, request_id, action, kind, target, task, code, orgs,
                  operator, details FROM audit INDEXED BY audit_by_task WHERE number < ? AND number >= ? AND task = ?
                ORDER BY number DESC
                """)
            query.bind(3, task)
            return query
        }
        if let target = filter.target {
            let query = try database.statement(
                """
                SELECT number, at, ahead, caller, name, scope, client, request_id, action, kind, target, task, code, orgs,
                  operator, details FROM audit INDEXED BY audit_by_target WHERE number < ? AND number >= ? AND target = ?
                ORDER BY number DESC
                """)
            query.bind(3, target)
            return query
        }
        return try database.statement(
            """
            SELECT number, at, ahead, caller, name, scope, client, request_id, action, kind, target, task, code, orgs,
              operator, details FROM audit WHERE number < ? AND number >= ? ORDER BY number DESC
            """)
    }

    private static func matches(_ query: Statement, _ filter: AuditFilter, _ reader: Reader?) -> Bool {
        let time = query.int(1) + query.int(2)
        if let from = filter.from, time < from { return false }
        if let to = filter.to, time >= to { return false }
        if let caller = filter.caller, !query.isText(3, caller) { return false }
        if let name = filter.name, !query.isText(4, name.text) { return false }
        if let client = filter.client, query.address(6) != client { return false }
        // Entries of a store that no other node has name none.
        if filter.node != nil { return false }
        if let action = filter.action, !query.isText(8, action.rawValue) { return false }
        if let target = filter.target, !query.isText(10, target) { return false }
        if let code = filter.code, query.int(12) != Int64(code) { return false }
        guard let reader else { return true }
        guard let scope = reader.scope else { return false }
        // Its own, as far as it was confined then as it is now.
        if let number = reader.operator, query.optionalInt(14) == number.value, query.optionalInt(5) == Int64(scope) {
            return true
        }
        return query.text(13).contains(mark(scope))
    }

    /// - Returns: `nil` for what only a later version knows.
    private static func record(_ query: Statement) -> AuditRecord? {
        let identity = query.optionalText(4).map { name in
            OperatorIdentity(query.optionalInt(14).map { OperatorNumber($0) } ?? .unknown, OperatorName(unchecked: name))
        }
        guard let caller = AuditEntry.Caller(kind: query.text(3), identity),
            let action = AuditAction(rawValue: query.text(8))
        else { return nil }
        let kind = query.optionalText(9).flatMap { AuditTarget.Kind(rawValue: $0) }
        let target = kind.flatMap { kind in query.optionalText(10).map { AuditTarget(kind, $0) } }
        let entry = AuditEntry(
            caller, scope: nil, client: query.address(6), requestID: query.optionalText(7), action, target,
            task: query.optionalText(11), code: Int(query.int(12)),
            details: AuditDetail.read(query.optionalText(15)))
        return AuditRecord(number: query.int(0), time: query.int(1) + query.int(2), entry: entry)
    }

    // MARK: Forgetting

    /// Removes the oldest entries as long as they are due, so many at most.
    /// - Parameter isDue: by the store time at which one was written.
    /// - Returns: how many.
    func removeOldest(limit: Int, _ isDue: (Int64) -> Bool) throws(SQLiteError) -> Int {
        let query = try database.statement("SELECT number, at FROM audit ORDER BY number LIMIT ?")
        query.bind(1, limit)
        var (count, last) = (0, Int64(0))
        while try query.step() {
            guard isDue(query.int(1)) else {
                query.reset()
                break
            }
            (count, last) = (count + 1, query.int(0))
        }
        guard count > 0 else { return 0 }
        let delete = try database.statement("DELETE FROM audit WHERE number <= ?")
        delete.bind(1, last)
        try delete.run()
        return count
    }
}
