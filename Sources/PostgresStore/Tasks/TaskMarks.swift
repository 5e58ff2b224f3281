internal import Postgres
internal import Push
internal import StoreCore

/// Which devices of a task are in which stored state: what all nodes have told, joined.
struct TaskMarks {
    /// What a device is counted as where two nodes have told otherwise: the first of these.
    private static let order: [TaskReceipts.Mark] = [.withdrawn, .delivered, .rejected, .skipped]

    private var sets: [TaskReceipts.Mark: [UInt32: OrdinalSet]] = [:]

    /// Three arrays of the same length, from a column on: marks, chunks and bitmaps.
    /// - Parameter only: the device of a unicast, whose bitmaps are null.
    init(_ rows: PostgresRows, _ row: Int, from column: Int, only: UInt32?) throws(PostgresShapeError) {
        guard var marks = try rows.array(row, column, of: .int4), var chunks = try rows.array(row, column + 1, of: .int4),
            var bits = try rows.array(row, column + 2, of: .bytea)
        else { return }
        for _ in 0..<marks.count {
            guard let number = try marks.int4(), let chunk = try chunks.int4() else { throw .null }
            let bytes = try bits.bytea()
            guard let mark = TaskReceipts.Mark(rawValue: Int64(number)) else { continue }
            if let bytes {
                guard let set = OrdinalSet(serialized: bytes) else { throw .malformed(.bytea) }
                join(set, mark, UInt32(bitPattern: chunk))
            } else {
                guard let only, let set = OrdinalSet() else { throw .null }
                _ = set.insert(UInt16(truncatingIfNeeded: only))
                join(set, mark, only >> 16)
            }
        }
        for (rank, mark) in Self.order.enumerated() {
            for (chunk, set) in sets[mark] ?? [:] {
                for stronger in Self.order[..<rank] { if let other = sets[stronger]?[chunk] { set.subtract(other) } }
            }
        }
    }

    private mutating func join(_ set: OrdinalSet, _ mark: TaskReceipts.Mark, _ chunk: UInt32) {
        if let known = sets[mark]?[chunk] { known.formUnion(set) } else { sets[mark, default: [:]][chunk] = set }
    }

    /// How many devices carry a mark.
    func count(_ mark: TaskReceipts.Mark) -> Int { sets[mark]?.values.reduce(0) { $0 + $1.count } ?? 0 }

    /// Whether a device carries a mark.
    func contains(_ mark: TaskReceipts.Mark, _ ordinal: UInt32) -> Bool {
        sets[mark]?[ordinal >> 16]?.contains(UInt16(truncatingIfNeeded: ordinal)) ?? false
    }

    /// The state of a device that is stored; `nil`: none is.
    func state(of ordinal: UInt32) -> RecipientState? {
        guard let mark = Self.order.first(where: { contains($0, ordinal) }) else { return nil }
        switch mark {
        case .withdrawn: return .withdrawn
        case .delivered: return .delivered
        case .rejected: return .rejected
        case .skipped: return .skippedOversize
        case .joined: return nil
        }
    }

    /// Ordinals after one that carry a mark, ascending.
    func members(_ mark: TaskReceipts.Mark, after: UInt32?, limit: Int) -> [UInt32] {
        let first = after.map { UInt64($0) + 1 } ?? 0
        let chunks = sets[mark] ?? [:]
        var found: [UInt32] = []
        for chunk in chunks.keys.sorted() where UInt64(chunk) >= first >> 16 && found.count < limit {
            let low = UInt64(chunk) == first >> 16 ? UInt32(truncatingIfNeeded: first & 0xFFFF) : 0
            found += chunks[chunk]?.members(from: low, limit: limit - found.count).map { chunk << 16 | UInt32($0) } ?? []
        }
        return found
    }
}

extension TaskReceipts {
    /// Takes what is counted: `marks`, and how many have opened, applied, and failed with it, which follow the marks' columns.
    func count(_ marks: TaskMarks, _ rows: PostgresRows, _ row: Int, events column: Int) throws(PostgresShapeError) {
        for mark in Mark.allCases { add(marks.count(mark), to: mark) }
        counters.opened = Int(try rows.int8(row, column) ?? 0)
        counters.applied = Int(try rows.int8(row, column + 1) ?? 0)
        counters.failed = Int(try rows.int8(row, column + 2) ?? 0)
    }
}
