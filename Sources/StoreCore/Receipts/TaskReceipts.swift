/// What became of one task's devices: counters, and for each device which state it is in. Belongs to one thread.
package final class TaskReceipts {
    /// The exclusive states that are stored; the rest of a task's devices is one number whose name is the task's status.
    package enum Mark: Int64, CaseIterable, Sendable {
        case delivered = 0
        case skipped = 1
        case withdrawn = 2
        /// Counted because it joined the target later. Not exclusive.
        case joined = 3
        case rejected = 4
    }

    /// The position of the task's row.
    package let seq: UInt64
    /// The device of a unicast, whose marks are bits of `state`: a million unicasts are no million bitmaps.
    package let only: UInt32?
    package let isMessage: Bool
    /// When it was accepted, without those that joined.
    package let targeted: Int
    package let skippedAtAccept: Int

    /// What changes with each acknowledgement, as one value: each access to a variable of a class from another module is checked,
    /// at some 60 instructions.
    package struct Standing: Sendable {
        package var counters = TaskCounters()
        /// The marks of the device of a unicast, a bit each.
        package var state: Int64 = 0
        /// When a message had nothing pending for the first time, Unix milliseconds.
        package var completedAt: Int64?
        /// Changed since it was read or written.
        package var isDirty = false
    }

    package var standing = Standing()

    @inlinable package var counters: TaskCounters {
        get { standing.counters }
        _modify { yield &standing.counters }
    }
    @inlinable package var state: Int64 {
        get { standing.state }
        _modify { yield &standing.state }
    }
    @inlinable package var completedAt: Int64? {
        get { standing.completedAt }
        _modify { yield &standing.completedAt }
    }
    @inlinable package var isDirty: Bool {
        get { standing.isDirty }
        _modify { yield &standing.isDirty }
    }
    /// Where the task is summed up with others; `nil` for one without a tag.
    package let total: TotalKey?
    package let mayExpire: Bool
    /// How somebody ended the task.
    package var end: StoredRow.End
    /// The counters as the store has them, and the totals with it.
    package var stored = TaskCounters()
    /// Bitmaps that were looked at, by chunk and mark; the rest is in the store. An array, as chunks are few and dense.
    @usableFromInline var sets: [OrdinalSet?] = []
    /// How many bitmaps it holds.
    package private(set) var setCount = 0

    /// The receipts of a row for which nothing has happened yet.
    package convenience init(_ row: StoredRow) {
        self.init(
            seq: row.seq, target: row.target, isMessage: row.kind == .message, targeted: row.targeted, skipped: row.skipped,
            total: TotalKey(row), mayExpire: row.expires != nil, end: row.end)
    }

    /// The same from what receipts need of a row.
    package init(
        seq: UInt64, target: TargetKey, isMessage: Bool, targeted: Int, skipped: Int, total: TotalKey?, mayExpire: Bool,
        end: StoredRow.End
    ) {
        self.seq = seq
        self.total = total
        self.mayExpire = mayExpire
        self.end = end
        only = target.kind == .device ? target.shortID : nil
        self.isMessage = isMessage
        self.targeted = targeted
        skippedAtAccept = skipped
    }

    // MARK: Bitmaps

    /// A bitmap that was looked at.
    @inlinable
    package func set(_ mark: Mark, chunk: UInt32) -> OrdinalSet? {
        let index = Self.index(mark, chunk)
        return index < sets.count ? sets[index] : nil
    }

    /// Keeps a bitmap that was read or made.
    package func keep(_ set: OrdinalSet, _ mark: Mark, chunk: UInt32) {
        let index = Self.index(mark, chunk)
        if index >= sets.count { sets.append(contentsOf: Array(repeating: nil, count: index + 1 - sets.count)) }
        if sets[index] == nil { setCount += 1 }
        sets[index] = set
    }

    /// Bitmaps that were changed since they were read or written.
    package var dirtySets: [(mark: Mark, chunk: UInt32, set: OrdinalSet)] {
        guard setCount > 0 else { return [] }
        return sets.enumerated().compactMap { index, set in
            guard let set, set.isDirty else { return nil }
            return (Mark.allCases[index % Self.marksPerChunk], UInt32(index / Self.marksPerChunk), set)
        }
    }

    @usableFromInline static var marksPerChunk: Int { 5 }

    @inlinable
    static func index(_ mark: Mark, _ chunk: UInt32) -> Int { Int(chunk) * marksPerChunk + Int(mark.rawValue) }

    // MARK: Counters

    /// Devices that are in none of the stored states.
    @inlinable
    package var rest: Int { rest(of: counters) }

    /// The same with other counters.
    @inlinable
    package func rest(of counters: TaskCounters) -> Int { targeted - skippedAtAccept + counters.rest }

    /// How many devices carry a mark.
    @inlinable
    package func count(_ mark: Mark) -> Int { counters[mark] }

    /// So many devices more, or fewer, carry a mark.
    @inlinable
    package func add(_ step: Int, to mark: Mark) { counters[mark] += step }
}
