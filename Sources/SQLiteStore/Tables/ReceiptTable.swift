internal import StoreCore

/// `counter` and `receipt`: a task's counters, and for each state that is stored the devices that are in it.
final class ReceiptTable {
    private let database: Database
    private var stretches: SharedStretches.Copy

    init(_ database: Database, _ stretches: SharedStretches) {
        self.database = database
        self.stretches = SharedStretches.Copy(of: stretches)
    }

    /// Writes all of it or nothing, inside of a transaction.
    func whole(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) { try database.savepoint(body) }

    // MARK: Counters

    /// The receipts of a row of the log; all zero where nothing has happened yet.
    func receipts(of row: StoredRow) throws(SQLiteError) -> TaskReceipts {
        let receipts = TaskReceipts(row)
        let query = try database.statement(
            """
            SELECT delivered, withdrawn, skipped, joined, opened, applied, failed, state, completed_at, rejected
            FROM counter WHERE seq = ?
            """)
        query.bind(1, row.seq)
        guard try query.step() else { return receipts }
        defer { query.reset() }
        Self.read(query, from: 0, into: receipts)
        return receipts
    }

    /// What the log has at a position, as far as receipts need it.
    enum Found {
        case task(TaskReceipts)
        /// A reference, and the task that it names.
        case reference(UInt64)
    }

    /// In one statement, and without the payload.
    func find(_ seq: UInt64) throws(SQLiteError) -> Found? {
        let query = try database.statement(
            """
            SELECT kind, target, targeted, message.skipped, ref, app, tag, created, expires, status, counter.delivered, withdrawn,
              counter.skipped, joined, opened, applied, failed, state, completed_at, rejected
            FROM message LEFT JOIN counter ON counter.seq = message.seq WHERE message.seq = ?
            """)
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        if let reference = query.optionalInt(4) { return .reference(UInt64(bitPattern: reference)) }
        let stretch = stretches.read()[seq]
        let receipts = TaskReceipts(
            seq: seq, target: TargetKey(raw: query.int(1)), isMessage: query.int(0) == StoredRow.Kind.message.rawValue,
            targeted: Int(query.int(2)), skipped: Int(query.int(3)),
            total: query.optionalExactText(6).map {
                TotalKey(app: query.int(5), tag: $0, createdAt: query.int(7) + stretch.shift + stretch.offset)
            }, mayExpire: !query.isNull(8), end: StoredRow.End(rawValue: query.int(9)) ?? .none)
        if !query.isNull(10) { Self.read(query, from: 10, into: receipts) }
        return .task(receipts)
    }

    private static func read(_ query: Statement, from column: Int32, into receipts: TaskReceipts) {
        var counters = TaskCounters()
        counters.delivered = Int(query.int(column))
        counters.withdrawn = Int(query.int(column + 1))
        counters.skipped = Int(query.int(column + 2))
        counters.joined = Int(query.int(column + 3))
        counters.opened = Int(query.int(column + 4))
        counters.applied = Int(query.int(column + 5))
        counters.failed = Int(query.int(column + 6))
        counters.rejected = Int(query.int(column + 9))
        receipts.counters = counters
        receipts.stored = counters
        receipts.state = query.int(column + 7)
        receipts.completedAt = query.optionalInt(column + 8)
    }

    /// When a task had nothing pending for the first time.
    func completed(_ seq: UInt64) throws(SQLiteError) -> Int64? {
        let query = try database.statement("SELECT completed_at FROM counter WHERE seq = ?")
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalInt(0)
    }

    // MARK: Marks

    /// Whether a device carries a mark.
    func has(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) -> Bool {
        if ordinal == receipts.only { return receipts.state & 1 << mark.rawValue != 0 }
        // Nobody carries it: no bitmap is looked at or made.
        if receipts.count(mark) == 0 { return false }
        return try set(mark, chunk: ordinal >> 16, of: receipts).contains(UInt16(truncatingIfNeeded: ordinal))
    }

    /// The bitmap, read at most once; an empty one where the file has none.
    func set(_ mark: TaskReceipts.Mark, chunk: UInt32, of receipts: TaskReceipts) throws(SQLiteError) -> OrdinalSet {
        if let known = receipts.set(mark, chunk: chunk) { return known }
        let query = try database.statement("SELECT bits FROM receipt WHERE seq = ? AND kind = ? AND chunk = ?")
        query.bind(1, receipts.seq)
        query.bind(2, mark.rawValue)
        query.bind(3, chunk)
        guard try query.step() else {
            guard let set = OrdinalSet() else { throw SQLiteError(code: 7, message: "out of memory for a receipt bitmap") }
            receipts.keep(set, mark, chunk: chunk)
            return set
        }
        defer { query.reset() }
        guard let set = OrdinalSet(serialized: query.blob(0)) else {
            throw SQLiteError.unreadable("the receipts of row \(receipts.seq) cannot be read")
        }
        receipts.keep(set, mark, chunk: chunk)
        return set
    }

    /// Ordinals greater than `after` that carry a mark, ascending.
    func members(
        _ mark: TaskReceipts.Mark, of receipts: TaskReceipts, after: UInt32?, limit: Int
    ) throws(SQLiteError) -> [UInt32] {
        let first = after.map { UInt64($0) + 1 } ?? 0
        let query = try database.statement(
            "SELECT chunk FROM receipt WHERE seq = ? AND kind = ? AND chunk >= ? ORDER BY chunk")
        query.bind(1, receipts.seq)
        query.bind(2, mark.rawValue)
        query.bind(3, first >> 16)
        var chunks: [UInt32] = []
        while try query.step() { chunks.append(query.short(0)) }
        var found: [UInt32] = []
        for chunk in chunks where found.count < limit {
            let set = try set(mark, chunk: chunk, of: receipts)
            let low = UInt64(chunk) == first >> 16 ? UInt32(truncatingIfNeeded: first & 0xFFFF) : 0
            found += set.members(from: low, limit: limit - found.count).map { chunk << 16 | UInt32($0) }
        }
        return found
    }

    // MARK: Changes

    /// Writes a task's counters.
    func write(_ receipts: TaskReceipts) throws(SQLiteError) {
        let standing = receipts.standing
        let counters = standing.counters
        if counters == .deliveredOnce { return try write(delivered: receipts.seq, standing) }
        let upsert = try database.statement(
            """
            INSERT OR REPLACE INTO counter(seq, delivered, withdrawn, skipped, joined, opened, applied, failed, state,
              completed_at, rejected) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        upsert.bind(1, receipts.seq)
        upsert.bind(2, counters.delivered)
        upsert.bind(3, counters.withdrawn)
        upsert.bind(4, counters.skipped)
        upsert.bind(5, counters.joined)
        upsert.bind(6, counters.opened)
        upsert.bind(7, counters.applied)
        upsert.bind(8, counters.failed)
        upsert.bind(9, standing.state)
        upsert.bind(10, standing.completedAt)
        upsert.bind(11, counters.rejected)
        try upsert.run()
    }

    /// One device has had it and nothing else has happened, as of nearly every message to a device: a statement with few values.
    private func write(delivered seq: UInt64, _ standing: TaskReceipts.Standing) throws(SQLiteError) {
        let upsert = try database.statement(
            """
            INSERT OR REPLACE INTO counter(seq, delivered, withdrawn, skipped, joined, opened, applied, failed, state,
              completed_at, rejected) VALUES(?, 1, 0, 0, 0, 0, 0, 0, ?, ?, 0)
            """)
        upsert.bind(1, seq)
        upsert.bind(2, standing.state)
        upsert.bind(3, standing.completedAt)
        try upsert.run()
    }

    func write(_ set: OrdinalSet, _ mark: TaskReceipts.Mark, chunk: UInt32, of seq: UInt64) throws(SQLiteError) {
        let upsert = try database.statement("INSERT OR REPLACE INTO receipt(seq, kind, chunk, bits) VALUES(?, ?, ?, ?)")
        upsert.bind(1, seq)
        upsert.bind(2, mark.rawValue)
        upsert.bind(3, chunk)
        upsert.bind(4, set.serialized)
        try upsert.run()
    }

    /// Removes some of a task's bitmaps.
    /// - Returns: how many; fewer than `limit` where none is left.
    func removeSome(of seq: UInt64, limit: Int) throws(SQLiteError) -> Int {
        let delete = try database.statement(
            """
            DELETE FROM receipt WHERE (seq, kind, chunk) IN (SELECT seq, kind, chunk FROM receipt WHERE seq = ? LIMIT ?)
            """)
        delete.bind(1, seq)
        delete.bind(2, limit)
        try delete.run()
        return database.changes
    }

    /// Removes a task's counters, when its bitmaps are removed.
    func removeCounters(of seq: UInt64) throws(SQLiteError) {
        let delete = try database.statement("DELETE FROM counter WHERE seq = ?")
        delete.bind(1, seq)
        try delete.run()
    }
}

extension TaskCounters {
    fileprivate static let deliveredOnce: TaskCounters = {
        var counters = TaskCounters()
        counters.delivered = 1
        return counters
    }()
}
