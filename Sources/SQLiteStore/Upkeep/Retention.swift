internal import StoreCore

/// Forgets tasks some time after they ended, with all that belongs to them, and the intervals that no task refers to any more.
/// Works in small slices, so that no push waits for it. Writer only.
final class Retention {
    /// Rows that one slice looks at.
    private static let slice = 200

    /// Where a sweep stands: first it goes through the log, oldest first, then through what ended before the oldest row that is
    /// left.
    private enum Place {
        case rows(after: UInt64)
        case intervals(before: UInt64)
    }

    private let tables: Tables
    private let cursors: CursorBook
    private let time: Timekeeper
    /// How long an ended task is kept, in milliseconds.
    private let lifetime: Int64
    private var place = Place.rows(after: 0)
    /// The oldest row that this sweep left, and the last that was old enough to be looked at.
    private var oldest: UInt64?
    private var lastOld: UInt64?

    init(_ tables: Tables, _ cursors: CursorBook, _ time: Timekeeper, lifetime: Int64) {
        self.tables = tables
        self.cursors = cursors
        self.time = time
        self.lifetime = lifetime
    }

    /// Begins from the oldest row again.
    func restart() {
        place = .rows(after: 0)
        oldest = nil
        lastOld = nil
    }

    /// Does one slice of a sweep. Inside a transaction.
    /// - Parameters:
    ///   - now: store time.
    ///   - unmerged: the first row that is in the tail only; the sweep stays before it.
    /// - Returns: whether the sweep has come to its end.
    func advance(now: Int64, before unmerged: UInt64, forget: (UInt64) -> Void) throws(SQLiteError) -> Bool {
        switch place {
        case .rows(let after):
            // Rows so old that they may be due.
            let positions = try tables.messages.positions(
                after: after, before: unmerged, createdBefore: now - lifetime, limit: Self.slice)
            lastOld = positions.last ?? lastOld
            for seq in positions {
                guard let row = try tables.messages.row(seq) else { continue }
                if try isDue(row, now: now) {
                    try remove(row)
                    forget(seq)
                } else if oldest == nil {
                    oldest = seq
                }
            }
            if positions.count == Self.slice, let last = positions.last {
                place = .rows(after: last)
                return false
            }
            // What ended lately is kept although no task refers to it: its connection may not be closed yet.
            guard let end = oldest ?? lastOld else {
                restart()
                return true
            }
            place = .intervals(before: end)
            time.forgetSteps(before: end)
            return false
        case .intervals(let before):
            guard try !removePast(before: before) else { return false }
            restart()
            return true
        }
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

    private func remove(_ row: StoredRow) throws(SQLiteError) {
        try tables.indexes.remove(row.seq, of: row.target)
        if row.reference == nil {
            if let key = TotalKey(row) { try tables.totals.remove(row.seq, key) }
            try tables.receipts.remove(row.seq)
            try tables.events.remove(row.seq)
            try tables.configurations.remove(row.seq)
            if let outBizNo = try tables.messages.outBizNo(of: row.seq) {
                try tables.indexes.remove(row.seq, ofApp: row.app, bizHash: StableHash.of(outBizNo))
            }
            if let tag = row.tag { try tables.indexes.remove(row.seq, ofApp: row.app, tag: tag) }
        }
        try tables.messages.remove(row.seq)
    }

    /// Membership that ended before the oldest row that is left concerns nobody.
    /// - Returns: whether there may be more.
    private func removePast(before seq: UInt64) throws(SQLiteError) -> Bool {
        let before = tables.database.totalChanges
        try tables.devices.removePast(before: seq)
        try tables.organisations.removePast(before: seq)
        return tables.database.totalChanges > before
    }
}
