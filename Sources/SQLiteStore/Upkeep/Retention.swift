internal import StoreCore

/// Forgets tasks some time after they ended, with all that belongs to them, and where devices and organisations were, as far as
/// no task that is left asks for it; and the audit log after a time of its own. Works in small slices, so that no push waits for
/// it. Writer only.
final class Retention {
    /// Rows that are looked up at a time.
    private static let page = 200

    /// Where a sweep stands: first it goes through the log, oldest first, then through what ended so long ago, kind by kind, and
    /// at last through the audit log.
    private enum Place {
        case rows(after: UInt64)
        case past(Past, after: UInt64)
        case audit
        case refusals
    }

    private let tables: Tables
    private let cursors: CursorBook
    private let time: Timekeeper
    /// How long an ended task is kept, in milliseconds.
    private let lifetime: Int64
    /// The same of the audit log.
    private let auditLifetime: Int64
    private var place = Place.rows(after: 0)
    /// The oldest row that this sweep left.
    private var oldest: UInt64?
    /// The last position of a row that was old enough to be looked at: what ended before has ended as long ago. What ended lately
    /// is kept although no task refers to it, since its connection may not be closed yet.
    private var horizon: UInt64 = 0

    init(_ tables: Tables, _ cursors: CursorBook, _ time: Timekeeper, lifetime: Int64, auditLifetime: Int64) {
        self.tables = tables
        self.cursors = cursors
        self.time = time
        self.lifetime = lifetime
        self.auditLifetime = auditLifetime
    }

    /// Begins from the oldest row again.
    func restart() {
        place = .rows(after: 0)
        oldest = nil
    }

    /// Does one slice of a sweep. Inside a transaction.
    /// - Parameters:
    ///   - now: store time.
    ///   - unmerged: the first row that is in the tail only; the sweep stays before it.
    ///   - budget: how much a slice does.
    /// - Returns: whether the sweep has come to its end.
    func advance(
        now: Int64, before unmerged: UInt64, _ budget: StepBudget, forget: (UInt64) -> Void
    ) throws(SQLiteError) -> Bool {
        switch place {
        case .rows(let after):
            place = try removeRows(after: after, before: unmerged, now: now, budget, forget)
            return false
        case .past(let past, let after):
            if let last = try tables.forget(past, after: after, before: horizon, budget) {
                place = .past(past, after: last)
                return false
            }
            place = past.next.map { .past($0, after: 0) } ?? .audit
            return false
        case .audit:
            if try !removeEntries(now: now, budget) { place = .refusals }
            return false
        case .refusals:
            let minute = (now - auditLifetime) / 60_000
            if try removeAll(budget, { limit throws(SQLiteError) in try tables.refusals.remove(before: minute, limit: limit) }) {
                restart()
                return true
            }
            return false
        }
    }

    /// An entry that was written while store time had still to follow the wall clock does not age by that, as long as the log has
    /// rows of that time.
    /// - Returns: whether there may be more.
    private func removeEntries(now: Int64, _ budget: StepBudget) throws(SQLiteError) -> Bool {
        let stretches = tables.messages.stretches
        return try !removeAll(budget) { limit throws(SQLiteError) in
            try tables.audit.removeOldest(limit: limit) { stretches.meaning(ofStamp: $0) + auditLifetime <= now }
        }
    }

    /// - Parameter remove: removes so many at most, and returns how many it were.
    /// - Returns: whether all are gone.
    private func removeAll(
        _ budget: StepBudget, _ remove: (_ limit: Int) throws(SQLiteError) -> Int
    ) throws(SQLiteError) -> Bool {
        let limit = max(1, budget.left / StepBudget.row)
        let removed = try remove(limit)
        budget.take(removed * StepBudget.row)
        return removed < limit
    }

    private func removeRows(
        after: UInt64, before unmerged: UInt64, now: Int64, _ budget: StepBudget, _ forget: (UInt64) -> Void
    ) throws(SQLiteError) -> Place {
        // Rows so old that they may be due.
        let positions = try tables.messages.positions(
            after: after, before: unmerged, createdBefore: now - lifetime, limit: Self.page)
        var last = after
        for seq in positions {
            if budget.isSpent { return .rows(after: last) }
            budget.take(StepBudget.row)
            if let row = try tables.messages.row(seq) {
                if try isDue(row, now: now) {
                    guard try remove(row, budget) else { return .rows(after: last) }
                    forget(seq)
                } else if oldest == nil {
                    oldest = seq
                }
            }
            last = seq
            horizon = max(horizon, seq)
        }
        if positions.count == Self.page { return .rows(after: last) }
        time.forgetSteps(before: oldest ?? horizon)
        return .past(.organisation, after: 0)
    }

    private func isDue(_ row: StoredRow, now: Int64) throws(SQLiteError) -> Bool {
        if let reference = row.reference {
            if try isObsolete(row) { return true }
            return try tables.messages.row(reference) == nil
        }
        let completed = row.kind == .message ? try tables.receipts.completed(row.seq) : nil
        let stretches = tables.messages.stretches
        guard let ended = row.endTime(completed: completed.map { stretches.meaning(ofStamp: $0) }) else { return false }
        return ended + lifetime <= now
    }

    /// A configuration may be current for years, and each device that joins it adds a reference: one that its device has
    /// acknowledged, or whose holder is gone, is needed no more.
    private func isObsolete(_ reference: StoredRow) throws(SQLiteError) -> Bool {
        guard reference.target.kind == .device else { return false }
        if try cursors.cursor(of: reference.target.shortID) >= reference.seq { return true }
        return try !tables.devices.isLive(reference.target.shortID)
    }

    /// The row goes last: what is left of a task that has much to remove goes with the next slices, over restarts too.
    /// - Returns: whether it is gone.
    private func remove(_ row: StoredRow, _ budget: StepBudget) throws(SQLiteError) -> Bool {
        if row.reference == nil {
            guard try removeReceipts(of: row.seq, budget) else { return false }
            if let key = TotalKey(row) { try tables.totals.remove(row.seq, key) }
            try tables.receipts.removeCounters(of: row.seq)
            try tables.configurations.remove(row.seq)
            if let outBizNo = try tables.messages.outBizNo(of: row.seq) {
                try tables.indexes.remove(row.seq, ofApp: row.app, bizHash: StableHash.of(outBizNo))
            }
            if let tag = row.tag { try tables.indexes.remove(row.seq, ofApp: row.app, tag: tag) }
        }
        try tables.indexes.remove(row.seq, of: row.target)
        try tables.messages.remove(row.seq)
        budget.take(2 * StepBudget.write)
        return true
    }

    /// What each of its devices has left behind: there may be a million of them.
    /// - Returns: whether all of it is gone.
    private func removeReceipts(of seq: UInt64, _ budget: StepBudget) throws(SQLiteError) -> Bool {
        let events = max(1, budget.left)
        let removed = try tables.events.removeSome(of: seq, limit: events)
        budget.take(removed)
        guard removed < events else { return false }
        // A bitmap is three pages of the file.
        let bitmaps = max(1, budget.left / StepBudget.row)
        let gone = try tables.receipts.removeSome(of: seq, limit: bitmaps)
        budget.take(gone * StepBudget.row)
        return gone < bitmaps
    }
}
