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
    /// Bitmaps that were looked at, by chunk and mark; the rest is in the file. An array, as chunks are few and dense.
    private var sets: [OrdinalSet?] = []
    /// How many bitmaps it holds.
    private(set) var setCount = 0

    convenience init(_ row: StoredRow) {
        self.init(
            seq: row.seq, target: row.target, isMessage: row.kind == .message, targeted: row.targeted, skipped: row.skipped)
    }

    init(seq: UInt64, target: TargetKey, isMessage: Bool, targeted: Int, skipped: Int) {
        self.seq = seq
        only = target.kind == .device ? UInt32(truncatingIfNeeded: target.id) : nil
        self.isMessage = isMessage
        self.targeted = targeted
        skippedAtAccept = skipped
    }

    /// A bitmap that was looked at.
    func set(_ mark: Mark, chunk: UInt32) -> OrdinalSet? {
        let index = Self.index(mark, chunk)
        return index < sets.count ? sets[index] : nil
    }

    /// Keeps a bitmap that was read or made.
    func keep(_ set: OrdinalSet, _ mark: Mark, chunk: UInt32) {
        let index = Self.index(mark, chunk)
        if index >= sets.count { sets.append(contentsOf: Array(repeating: nil, count: index + 1 - sets.count)) }
        if sets[index] == nil { setCount += 1 }
        sets[index] = set
    }

    /// Bitmaps that were changed since they were read or written.
    var dirtySets: [(mark: Mark, chunk: UInt32, set: OrdinalSet)] {
        sets.enumerated().compactMap { index, set in
            guard let set, set.isDirty else { return nil }
            return (Mark.allCases[index % Self.marksPerChunk], UInt32(index / Self.marksPerChunk), set)
        }
    }

    private static let marksPerChunk = Mark.allCases.count
    private static func index(_ mark: Mark, _ chunk: UInt32) -> Int { Int(chunk) * marksPerChunk + Int(mark.rawValue) }

    /// Devices that are in none of the stored states.
    var rest: Int { targeted + joined - delivered - withdrawn - skipped - skippedAtAccept }

    /// How many devices carry a mark.
    func count(_ mark: Mark) -> Int {
        switch mark {
        case .delivered: delivered
        case .skipped: skipped
        case .withdrawn: withdrawn
        case .joined: joined
        }
    }

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
        defer { query.reset() }
        Self.read(query, from: 0, into: receipts)
        return receipts
    }

    /// What the log has at a position, as far as receipts need it: in one statement, and without the payload.
    enum Found {
        case task(TaskReceipts)
        /// A reference, and the task that it names.
        case reference(UInt64)
    }

    func receipts(at seq: UInt64) throws(SQLiteError) -> Found? {
        let query = try database.statement(
            """
            SELECT kind, target, targeted, message.skipped, ref, counter.delivered, withdrawn, counter.skipped, joined, opened, applied,
              failed, state, completed_at
            FROM message LEFT JOIN counter ON counter.seq = message.seq WHERE message.seq = ?
            """)
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        if let reference = query.optionalInt(4) { return .reference(UInt64(bitPattern: reference)) }
        let receipts = TaskReceipts(
            seq: seq, target: TargetKey(raw: query.int(1)), isMessage: query.int(0) == StoredRow.Kind.message.rawValue,
            targeted: Int(query.int(2)), skipped: Int(query.int(3)))
        if !query.isNull(5) { Self.read(query, from: 5, into: receipts) }
        return .task(receipts)
    }

    private static func read(_ query: Statement, from column: Int32, into receipts: TaskReceipts) {
        receipts.delivered = Int(query.int(column))
        receipts.withdrawn = Int(query.int(column + 1))
        receipts.skipped = Int(query.int(column + 2))
        receipts.joined = Int(query.int(column + 3))
        receipts.opened = Int(query.int(column + 4))
        receipts.applied = Int(query.int(column + 5))
        receipts.failed = Int(query.int(column + 6))
        receipts.state = query.int(column + 7)
        receipts.completedAt = query.optionalInt(column + 8)
    }

    /// Whether a device carries a mark.
    func has(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, in receipts: TaskReceipts) throws(SQLiteError) -> Bool {
        if ordinal == receipts.only { return receipts.state & 1 << mark.rawValue != 0 }
        // Nobody carries it: no bitmap is looked at or made.
        if receipts.count(mark) == 0 { return false }
        return try set(mark, chunk: ordinal >> 16, of: receipts).contains(UInt16(truncatingIfNeeded: ordinal))
    }

    /// The bitmap, read at most once; an empty one where the file has none.
    func set(
        _ mark: TaskReceipts.Mark, chunk: UInt32, of receipts: TaskReceipts
    ) throws(SQLiteError) -> OrdinalSet {
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
            throw SQLiteError(code: 11, message: "receipt bitmap of row \(receipts.seq) is damaged")
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
