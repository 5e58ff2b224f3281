internal import Push

/// What became of one task's devices: counters, and for each device which state it is in. Writer only.
final class TaskReceipts {
    /// The exclusive states that are stored; the rest of a task's devices is one number whose name is the task's status.
    enum Mark: Int64, CaseIterable {
        case delivered = 0
        case skipped = 1
        case withdrawn = 2
        /// Counted because it joined the target later. Not exclusive.
        case joined = 3
    }

    struct SetKey: Hashable {
        let mark: Mark
        let chunk: UInt32
    }

    let seq: UInt64
    /// The device of a unicast, whose marks are bits of `state`: a million unicasts are no million bitmaps.
    let only: UInt32?
    let isMessage: Bool
    /// When it was accepted, without those that joined.
    let targeted: Int
    let skippedAtAccept: Int

    var delivered = 0
    var withdrawn = 0
    var skipped = 0
    var joined = 0
    var opened = 0
    var applied = 0
    var failed = 0
    var state: Int64 = 0
    var completedAt: Int64?
    var isDirty = false
    /// Bitmaps that were looked at; the rest is in the file.
    var sets: [SetKey: OrdinalSet] = [:]

    init(_ row: StoredRow) {
        seq = row.seq
        only = row.target.kind == .device ? UInt32(truncatingIfNeeded: row.target.id) : nil
        isMessage = row.kind == .message
        targeted = row.targeted
        skippedAtAccept = row.skipped
    }

    /// Devices that are in none of the stored states.
    var rest: Int { targeted + joined - delivered - withdrawn - skipped - skippedAtAccept }

    func count(_ mark: Mark, by step: Int) {
        switch mark {
        case .delivered: delivered += step
        case .skipped: skipped += step
        case .withdrawn: withdrawn += step
        case .joined: joined += step
        }
    }
}

/// Reads counters and marks from the file: by the writer into its book, by readers into reports.
struct ReceiptReader {
    let database: Database

    /// The counters of a row of the log; all zero where nothing has happened yet.
    func receipts(of row: StoredRow) throws(SQLiteError) -> TaskReceipts {
        let receipts = TaskReceipts(row)
        let query = try database.statement(
            """
            SELECT delivered, withdrawn, skipped, joined, opened, applied, failed, state, completed_at
            FROM counter WHERE seq = ?
            """)
        query.bind(1, row.seq)
        guard try query.step() else { return receipts }
        receipts.delivered = Int(query.int(0))
        receipts.withdrawn = Int(query.int(1))
        receipts.skipped = Int(query.int(2))
        receipts.joined = Int(query.int(3))
        receipts.opened = Int(query.int(4))
        receipts.applied = Int(query.int(5))
        receipts.failed = Int(query.int(6))
        receipts.state = query.int(7)
        receipts.completedAt = query.optionalInt(8)
        query.reset()
        return receipts
    }

    /// Whether a device carries a mark.
    func has(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) -> Bool {
        if ordinal == receipts.only { return receipts.state & 1 << mark.rawValue != 0 }
        return try set(mark, chunk: ordinal >> 16, of: receipts).contains(UInt16(truncatingIfNeeded: ordinal))
    }

    /// The bitmap, read at most once; an empty one where the file has none.
    func set(
        _ mark: TaskReceipts.Mark, chunk: UInt32, of receipts: TaskReceipts
    ) throws(SQLiteError) -> OrdinalSet {
        let key = TaskReceipts.SetKey(mark: mark, chunk: chunk)
        if let known = receipts.sets[key] { return known }
        let query = try database.statement("SELECT bits FROM receipt WHERE seq = ? AND kind = ? AND chunk = ?")
        query.bind(1, receipts.seq)
        query.bind(2, mark.rawValue)
        query.bind(3, chunk)
        guard try query.step() else {
            guard let set = OrdinalSet() else { throw SQLiteError(code: 7, message: "out of memory for a receipt bitmap") }
            receipts.sets[key] = set
            return set
        }
        defer { query.reset() }
        guard let set = OrdinalSet(serialized: query.blob(0)) else {
            throw SQLiteError(code: 11, message: "receipt bitmap of row \(receipts.seq) is damaged")
        }
        receipts.sets[key] = set
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
        while try query.step() { chunks.append(UInt32(truncatingIfNeeded: query.int(0))) }
        var found: [UInt32] = []
        for chunk in chunks where found.count < limit {
            let set = try set(mark, chunk: chunk, of: receipts)
            let low = UInt64(chunk) == first >> 16 ? UInt32(truncatingIfNeeded: first & 0xFFFF) : 0
            found += set.members(from: low, limit: limit - found.count).map { chunk << 16 | UInt32($0) }
        }
        return found
    }
}
