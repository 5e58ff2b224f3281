internal import StoreCore

/// The store's own marks of some tasks, as a slice reads and changes them.
struct MarkBook {
    private var sets: [JobSlice.MarkKey: OrdinalSet] = [:]
    /// Unicasts that were withdrawn from their device.
    private var withdrawnOnly: Set<UInt64> = []
    private var pendingAgain: Set<UInt64> = []

    /// The chunk of a device of a unicast.
    static let only: Int32 = -1

    mutating func read(_ key: JobSlice.MarkKey, _ bits: [UInt8]?) {
        if key.chunk == Self.only {
            if key.mark == .withdrawn { withdrawnOnly.insert(key.task) }
        } else {
            sets[key] = bits.flatMap { OrdinalSet(serialized: $0) }
        }
    }

    func has(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, of task: UInt64) -> Bool {
        sets[Self.key(mark, ordinal, task)]?.contains(UInt16(truncatingIfNeeded: ordinal)) ?? false
    }

    mutating func insert(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, of task: UInt64) {
        let key = Self.key(mark, ordinal, task)
        if sets[key] == nil { sets[key] = OrdinalSet() }
        _ = sets[key]?.insert(UInt16(truncatingIfNeeded: ordinal))
    }

    /// What was withdrawn from a device is pending for it again.
    mutating func unwithdraw(_ ordinal: UInt32, of row: StoredRow) {
        if row.target == .device(ordinal) {
            if withdrawnOnly.remove(row.seq) != nil { pendingAgain.insert(row.seq) }
        } else {
            _ = sets[Self.key(.withdrawn, ordinal, row.seq)]?.remove(UInt16(truncatingIfNeeded: ordinal))
        }
    }

    /// A bitmap with a device more, which is not kept.
    func bits(_ mark: TaskReceipts.Mark, with ordinal: UInt32, of task: UInt64) -> [UInt8]? {
        guard let set = sets[Self.key(mark, ordinal, task)] ?? OrdinalSet() else { return nil }
        _ = set.insert(UInt16(truncatingIfNeeded: ordinal))
        return set.serialized
    }

    /// What has changed.
    var changes: [(key: JobSlice.MarkKey, bits: [UInt8]?)] {
        sets.compactMap { key, set in set.isDirty ? (key, set.serialized) : nil }
            + pendingAgain.map { (JobSlice.MarkKey(task: $0, mark: .withdrawn, chunk: Self.only), nil) }
    }

    private static func key(_ mark: TaskReceipts.Mark, _ ordinal: UInt32, _ task: UInt64) -> JobSlice.MarkKey {
        JobSlice.MarkKey(task: task, mark: mark, chunk: Int32(ordinal >> 16))
    }
}
