internal import Base
internal import Push
internal import StoreCore

/// `message`: the log's rows. A push is one row, message and task in one.
///
/// Times are store time, as it was counted when the row was written; what comes out of here is what they mean now.
final class MessageTable {
    private let database: Database
    private var copy: SharedStretches.Copy

    init(_ database: Database, _ stretches: SharedStretches) {
        self.database = database
        copy = SharedStretches.Copy(of: stretches)
    }

    /// By which times are read.
    var stretches: Stretches { copy.read() }

    // MARK: One row

    func row(_ seq: UInt64) throws(SQLiteError) -> StoredRow? {
        let query = try database.statement(
            """
            SELECT seq, kind, app, target, flags, within, created, expires, payload, body_start, body_end, display, tag,
              version, ref, targeted, skipped, status, ended_at, description FROM message WHERE seq = ?
            """)
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Self.read(query, stretches)
    }

    private static func read(_ query: Statement, _ stretches: Stretches) -> StoredRow {
        let stretch = stretches[query.position(0)]
        let payload = query.blob(8)
        // Inside the payload, whatever a damaged file says; a reference has the task's range and no payload of its own.
        let start = min(max(0, Int(query.int(9))), payload.count)
        return StoredRow(
            seq: query.position(0), kind: StoredRow.Kind(rawValue: query.int(1)) ?? .message, app: query.int(2),
            target: TargetKey(raw: query.int(3)), flags: query.int(4),
            within: query.optionalInt(5).map { UInt32(truncatingIfNeeded: $0) }, created: query.int(6) + stretch.shift,
            expires: query.optionalInt(7).map { $0 + stretch.shift }, offset: stretch.offset, payload: payload,
            body: start..<min(max(start, Int(query.int(10))), payload.count),
            display: query.optionalInt(11).map { DisplayType(number: $0) }, tag: query.optionalExactText(12),
            version: query.optionalInt(13), reference: query.optionalInt(14).map { UInt64(bitPattern: $0) },
            targeted: Int(query.int(15)), skipped: Int(query.int(16)), end: StoredRow.End(rawValue: query.int(17)) ?? .none,
            endedAt: query.optionalInt(18).map { stretches.meaning(ofStamp: $0) }, description: query.optionalText(19))
    }

    /// - Parameter request: what the row was made of; `nil` for a reference.
    func insert(_ row: StoredRow, of request: PushRequest?) throws(SQLiteError) {
        let insert = try database.statement(
            """
            INSERT INTO message(seq, kind, app, target, flags, within, created, expires, payload, body_start, body_end, display,
              tag, description, out_biz_no, fingerprint, version, ref, targeted, skipped,
              client, request_id)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, row.seq)
        insert.bind(2, row.kind.rawValue)
        insert.bind(3, row.app)
        insert.bind(4, row.target.raw)
        insert.bind(5, row.flags)
        insert.bind(6, row.within.map(Int64.init))
        insert.bind(7, row.created)
        insert.bind(8, row.expires)
        insert.bind(10, row.body.lowerBound)
        insert.bind(11, row.body.upperBound)
        insert.bind(12, row.display?.number)
        insert.bind(13, row.tag)
        insert.bind(14, row.description)
        insert.bind(15, request?.idempotency?.outBizNo)
        insert.bind(16, request?.idempotency?.fingerprint)
        insert.bind(17, row.version)
        insert.bind(18, row.reference.map { Int64(bitPattern: $0) })
        insert.bind(19, row.targeted)
        insert.bind(20, row.skipped)
        insert.bind(21, request?.client)
        // Lent, not copied: each copy is a block of memory that is gone again a moment later (700 instructions).
        try insert.run(lending: row.payload, as: 9, request?.requestID, as: 22)
    }

    func markEnded(_ seq: UInt64, _ end: StoredRow.End, at now: Int64) throws(SQLiteError) {
        let update = try database.statement("UPDATE message SET status = ?, ended_at = ? WHERE seq = ?")
        update.bind(1, end.rawValue)
        update.bind(2, now)
        update.bind(3, seq)
        try update.run()
    }

    func remove(_ seq: UInt64) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM message WHERE seq = ?")
        delete.bind(1, seq)
        try delete.run()
    }

    /// From where a push came; `nil` where that was not kept.
    func sender(of seq: UInt64) throws(SQLiteError) -> PushRequest.Origin? {
        let query = try database.statement(
            "SELECT client, request_id, operator FROM message WHERE seq = ? AND request_id IS NOT NULL")
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return PushRequest.Origin(
            client: query.address(0), requestID: query.text(1),
            operator: query.optionalText(2).map { OperatorName(unchecked: $0) })
    }

    /// An operator has pushed it.
    func setOrigin(of seq: UInt64, _ call: OperatorCall) throws(SQLiteError) {
        let update = try database.statement("UPDATE message SET client = ?, request_id = ?, operator = ? WHERE seq = ?")
        update.bind(1, call.client)
        update.bind(2, call.requestID)
        update.bind(3, call.name?.text)
        update.bind(4, seq)
        try update.run()
    }

    // MARK: What a repeat is recognised by

    /// When the row came and what the caller had sent, if it came with that `out_biz_no`.
    func origin(
        of seq: UInt64, named outBizNo: ExactText
    ) throws(SQLiteError) -> (created: Int64, fingerprint: [UInt8])? {
        let query = try database.statement("SELECT created, out_biz_no, fingerprint FROM message WHERE seq = ?")
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.isText(1, outBizNo.text) ? (query.int(0) + stretches[seq].shift, query.blob(2)) : nil
    }

    func outBizNo(of seq: UInt64) throws(SQLiteError) -> String? {
        let query = try database.statement("SELECT out_biz_no FROM message WHERE seq = ?")
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalText(0)
    }

    // MARK: Stretches of the log

    /// The newest row's position, and when it came as it was counted then.
    func newest() throws(SQLiteError) -> (seq: UInt64, created: Int64)? {
        let query = try database.statement("SELECT seq, created FROM message ORDER BY seq DESC LIMIT 1")
        guard try query.step() else { return nil }
        defer { query.reset() }
        return (query.position(0), query.int(1))
    }

    /// Of what came later than that, so many rows are dated to it, oldest first, and keep their lifetime. In a log of the
    /// first stretch.
    /// - Returns: whether there may be more.
    func bringForward(to time: Int64, limit: Int) throws(SQLiteError) -> Bool {
        let first = try firstPosition(writtenAtOrAfter: time + 1, from: 0, below: UInt64(Int64.max))
        let last = try position(after: max(first, 1) - 1, count: limit)
        let rows = try database.statement(
            """
            UPDATE message SET expires = expires - (created - ?1), ended_at = min(ended_at, ?1), created = ?1
            WHERE seq >= ?2 AND seq <= ?3
            """)
        rows.bind(1, time)
        rows.bind(2, first)
        rows.bind(3, last ?? MembershipHistory.forever)
        try rows.run()
        let completed = try database.statement(
            "UPDATE counter SET completed_at = ?1 WHERE seq >= ?2 AND seq <= ?3 AND completed_at > ?1")
        completed.bind(1, time)
        completed.bind(2, first)
        completed.bind(3, last ?? MembershipHistory.forever)
        try completed.run()
        return last != nil
    }

    /// Positions after `after` and before `before`, oldest first. It ends at the first row that did not come before `time`: store
    /// time follows positions.
    func positions(
        after: UInt64, before: UInt64, createdBefore time: Int64, limit: Int
    ) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement("SELECT seq, created FROM message WHERE seq > ? ORDER BY seq LIMIT ?")
        query.bind(1, after)
        query.bind(2, limit)
        let stretches = stretches
        var found: [UInt64] = []
        while try query.step() {
            let seq = query.position(0)
            guard seq < before, query.int(1) + stretches[seq].shift < time else {
                query.reset()
                break
            }
            found.append(query.position(0))
        }
        return found
    }

    /// The first position of a row from `low` on that came at `time` or later, as it was counted in their one stretch. There
    /// times follow positions, so that it is found by halving.
    func firstPosition(writtenAtOrAfter time: Int64, from low: UInt64, below: UInt64) throws(SQLiteError) -> UInt64 {
        let query = try database.statement("SELECT seq, created FROM message WHERE seq >= ? ORDER BY seq LIMIT 1")
        var (low, high) = (low, below)
        while low < high {
            let middle = low + (high - low) / 2
            query.bind(1, middle)
            let isAtOrAfter = try query.step() ? query.int(1) >= time : true
            query.reset()
            if isAtOrAfter { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The position of the so many'th row after `after`; `nil` where there are fewer.
    func position(after: UInt64, count: Int) throws(SQLiteError) -> UInt64? {
        let query = try database.statement("SELECT seq FROM message WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?")
        query.bind(1, after)
        query.bind(2, count - 1)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.position(0)
    }

    /// What a list of tasks chooses by.
    struct Heading {
        let seq: UInt64
        let isReference: Bool
        let app: Int64
        let target: TargetKey
        /// As people see it, Unix milliseconds.
        let createdAt: Int64
        /// Whether it has the tag and the `out_biz_no` that were asked for.
        let isNamed: Bool

        fileprivate init(_ query: Statement, _ stretches: Stretches, _ tag: ExactText?, _ outBizNo: ExactText?) {
            seq = query.position(0)
            isReference = query.int(1) == StoredRow.Kind.reference.rawValue
            app = query.int(2)
            target = TargetKey(raw: query.int(3))
            let stretch = stretches[seq]
            createdAt = query.int(4) + stretch.shift + stretch.offset
            isNamed = (tag.map { query.isText(5, $0.text) } ?? true) && (outBizNo.map { query.isText(6, $0.text) } ?? true)
        }
    }

    /// Calls `body` with the rows of those positions, newest first, at most `limit`, as long as it returns true.
    func forEachHeading(
        in positions: Range<UInt64>, limit: Int, _ tag: ExactText?, _ outBizNo: ExactText?,
        _ body: (Heading) throws(SQLiteError) -> Bool
    ) throws(SQLiteError) {
        let query = try database.statement(
            """
            SELECT seq, kind, app, target, created, tag, out_biz_no FROM message WHERE seq < ? AND seq >= ?
            ORDER BY seq DESC LIMIT ?
            """)
        query.bind(1, positions.upperBound)
        query.bind(2, positions.lowerBound)
        query.bind(3, limit)
        defer { query.reset() }
        let stretches = stretches
        while try query.step() {
            guard try body(Heading(query, stretches, tag, outBizNo)) else { return }
        }
    }

    func heading(_ seq: UInt64, _ tag: ExactText?, _ outBizNo: ExactText?) throws(SQLiteError) -> Heading? {
        let query = try database.statement(
            "SELECT seq, kind, app, target, created, tag, out_biz_no FROM message WHERE seq = ?")
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Heading(query, stretches, tag, outBizNo)
    }

    /// Calls `body` with what the trailing indexes hold of each row after `after`, oldest first.
    func forEachIndexEntry(after: UInt64, _ body: (Generation.Entry) -> Void) throws(SQLiteError) {
        let query = try database.statement(
            "SELECT seq, target, app, out_biz_no, tag, kind FROM message WHERE seq > ? ORDER BY seq")
        query.bind(1, after)
        while try query.step() {
            let isReference = query.int(5) == StoredRow.Kind.reference.rawValue
            body(
                Generation.Entry(
                    seq: query.position(0), target: TargetKey(raw: query.int(1)), app: query.int(2),
                    bizHash: query.optionalText(3).map { StableHash.of($0) }, tag: isReference ? nil : query.optionalExactText(4))
            )
        }
    }
}
