internal import StoreCore

/// Fills the trailing indexes: a generation's entries, sorted, in slices, each a transaction, so that no push waits for all of
/// them.
///
/// Between two slices the indexes hold a part of what the generation holds as well: each key's oldest. That is what readers of
/// both expect of a generation that was merged while they read, and what a start after a crash finds; a slice that is done again
/// changes nothing.
final class Merge {
    private let tables: Tables
    private var begun: Work?

    private struct Work {
        let generation: Generation
        let entries: Generation.Sorted
        var done = 0
    }

    /// Entries of a slice: about 10 ms with its commit where each dirties a page of its own.
    private static let slice = 2_048

    init(_ tables: Tables) { self.tables = tables }

    /// Merges a slice.
    /// - Returns: whether all of it is committed: the generation may be dropped then.
    func advance(_ generation: Generation) throws(SQLiteError) -> Bool {
        var work = begun ?? Work(generation: generation, entries: generation.sorted)
        if work.generation !== generation { work = Work(generation: generation, entries: generation.sorted) }
        begun = nil
        let end = min(work.done + Self.slice, work.entries.count)
        let database = tables.database
        try database.begin()
        do {
            try insert(work.entries, work.done..<end)
            if end == work.entries.count, let last = work.entries.last {
                try tables.meta.write(.indexedUpTo, Int64(bitPattern: last))
            }
            try database.commit()
        } catch {
            try database.rollback()
            throw error
        }
        work.done = end
        guard end < work.entries.count else { return true }
        begun = work
        return false
    }

    /// Entries are numbered through: targets first, then `out_biz_no`, then tags.
    private func insert(_ entries: Generation.Sorted, _ range: Range<Int>) throws(SQLiteError) {
        let targets = range.clamped(to: 0..<entries.targetCount)
        if !targets.isEmpty { try tables.indexes.insert(entries.targets[targets]) }
        var start = entries.targetCount
        let biz = range.moved(by: -start).clamped(to: 0..<entries.bizCount)
        if !biz.isEmpty { try tables.indexes.insert(entries.biz[biz]) }
        start += entries.bizCount
        let tags = range.moved(by: -start).clamped(to: 0..<entries.tagCount)
        if !tags.isEmpty { try tables.indexes.insert(entries.tags[tags]) }
    }

    /// Puts the rows that the indexes do not hold yet into the tail, at start.
    /// - Returns: the newest position of the log.
    static func rebuild(_ tail: Tail, from tables: Tables) throws(SQLiteError) -> UInt64 {
        let mark = UInt64(bitPattern: try tables.meta.number(.indexedUpTo) ?? 0)
        var head = max(mark, UInt64(bitPattern: try tables.meta.number(.head) ?? 0))
        let generation = tail.active
        try tables.messages.forEachIndexEntry(after: mark) { entry in
            head = max(head, entry.seq)
            generation.append(entry)
        }
        return head
    }
}

extension Range<Int> {
    fileprivate func moved(by step: Int) -> Range<Int> { lowerBound + step..<upperBound + step }
}
