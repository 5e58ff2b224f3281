internal import Push

/// Forgets tasks some time after they ended, with all that belongs to them, and the intervals that no task refers to any more. Works
/// in small slices, so that no push waits for it. Writer only.
final class Retention {
    /// Rows that one slice looks at.
    private static let slice = 200

    /// Where a sweep stands: first it goes through the log, oldest first, then through what ended before the oldest row that is left.
    private enum Place {
        case rows(after: UInt64)
        case intervals(before: UInt64)
    }

    private let database: Database
    private let rows: RowReader
    private let cursors: CursorBook
    /// How long an ended task is kept, in milliseconds.
    private let lifetime: Int64
    private var place = Place.rows(after: 0)
    /// The oldest row that this sweep left, and the last that was old enough to be looked at.
    private var oldest: UInt64?
    private var lastOld: UInt64?

    init(_ database: Database, _ cursors: CursorBook, lifetime: Int64) {
        self.database = database
        self.cursors = cursors
        rows = RowReader(database: database)
        self.lifetime = lifetime
    }

    /// Begins from the oldest row again.
    func restart() {
        place = .rows(after: 0)
        oldest = nil
        lastOld = nil
    }

    /// Does one slice of a sweep. Inside a transaction.
    /// - Parameter unmerged: the first row that is in the tail only; the sweep stays before it.
    /// - Returns: whether the sweep has come to its end.
    func advance(now: Int64, before unmerged: UInt64, forget: (UInt64) -> Void) throws(SQLiteError) -> Bool {
        switch place {
        case .rows(let after):
            let positions = try old(after: after, before: unmerged, now: now)
            lastOld = positions.last ?? lastOld
            for seq in positions {
                guard let row = try rows.row(seq) else { continue }
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
            return false
        case .intervals(let before):
            guard try !removeIntervals(before: before) else { return false }
            restart()
            return true
        }
    }

    /// Rows so old that they may be due. Times follow positions, so that it ends at the first that is younger.
    private func old(after: UInt64, before unmerged: UInt64, now: Int64) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement("SELECT seq, created FROM message WHERE seq > ? ORDER BY seq LIMIT ?")
        query.bind(1, after)
        query.bind(2, Self.slice)
        var positions: [UInt64] = []
        while try query.step() {
            guard query.position(0) < unmerged, query.int(1) < now - lifetime else {
                query.reset()
                break
            }
            positions.append(query.position(0))
        }
        return positions
    }

    private func isDue(_ row: StoredRow, now: Int64) throws(SQLiteError) -> Bool {
        if let reference = row.reference {
            if try isObsolete(row) { return true }
            return try rows.row(reference) == nil
        }
        guard let ended = try endOf(row) else { return false }
        return ended + lifetime <= now
    }

    /// A configuration may be current for years, and each device that joins it adds a reference: one that its device has
    /// acknowledged, or whose holder is gone, is needed no more.
    private func isObsolete(_ reference: StoredRow) throws(SQLiteError) -> Bool {
        guard reference.target.kind == .device else { return false }
        let ordinal = UInt32(truncatingIfNeeded: reference.target.id)
        if try cursors.cursor(of: ordinal) >= reference.seq { return true }
        let device = try database.statement("SELECT 1 FROM device WHERE ordinal = ? AND retired_seq = 9223372036854775807")
        device.bind(1, ordinal)
        defer { device.reset() }
        return try !device.step()
    }

    /// When a task ended, or will; `nil` for a configuration that is current and never expires.
    private func endOf(_ row: StoredRow) throws(SQLiteError) -> Int64? {
        if row.end != .none { return row.endedAt }
        let completed = try database.statement("SELECT completed_at FROM counter WHERE seq = ?")
        completed.bind(1, row.seq)
        if row.kind == .message, try completed.step() {
            defer { completed.reset() }
            if let time = completed.optionalInt(0) { return time }
        }
        return row.expires
    }

    private func remove(_ row: StoredRow) throws(SQLiteError) {
        try run("DELETE FROM target_index WHERE target = ? AND seq = ?", row.target.raw, row.seq)
        if row.reference == nil {
            try run("DELETE FROM counter WHERE seq = ?", row.seq)
            try run("DELETE FROM receipt WHERE seq = ?", row.seq)
            try run("DELETE FROM event WHERE seq = ?", row.seq)
            try run("DELETE FROM current_config WHERE seq = ?", row.seq)
            try removeFromIndexes(row)
        }
        try run("DELETE FROM message WHERE seq = ?", row.seq)
    }

    private func removeFromIndexes(_ row: StoredRow) throws(SQLiteError) {
        let number = try database.statement("SELECT out_biz_no FROM message WHERE seq = ?")
        number.bind(1, row.seq)
        if try number.step() {
            let text = number.optionalText(0)
            number.reset()
            if let text {
                let delete = try database.statement("DELETE FROM biz_index WHERE app = ? AND hash = ? AND seq = ?")
                delete.bind(1, row.app)
                delete.bind(2, StableHash.of(text))
                delete.bind(3, row.seq)
                try delete.run()
            }
        }
        guard let tag = row.tag else { return }
        let delete = try database.statement("DELETE FROM tag_index WHERE app = ? AND tag = ? AND seq = ?")
        delete.bind(1, row.app)
        delete.bind(2, tag)
        delete.bind(3, row.seq)
        try delete.run()
    }

    /// Membership that ended before the oldest row that is left concerns nobody.
    /// - Returns: whether there may be more.
    private func removeIntervals(before seq: UInt64) throws(SQLiteError) -> Bool {
        let ended: [StaticString] = [
            """
            DELETE FROM past_org WHERE (ordinal, from_seq) IN
              (SELECT ordinal, from_seq FROM past_org WHERE to_seq < ? LIMIT 200)
            """,
            """
            DELETE FROM past_user WHERE (ordinal, from_seq) IN
              (SELECT ordinal, from_seq FROM past_user WHERE to_seq < ? LIMIT 200)
            """,
            """
            DELETE FROM past_test WHERE (ordinal, from_seq) IN
              (SELECT ordinal, from_seq FROM past_test WHERE to_seq < ? LIMIT 200)
            """,
            """
            DELETE FROM beyond WHERE ordinal IN (SELECT ordinal FROM device
              WHERE retired_seq < ? AND retired_seq < 9223372036854775807 ORDER BY retired_seq LIMIT 200)
            """,
            """
            DELETE FROM device WHERE ordinal IN (SELECT ordinal FROM device
              WHERE retired_seq < ? AND retired_seq < 9223372036854775807 ORDER BY retired_seq LIMIT 200)
            """,
            "DELETE FROM org_parent WHERE to_seq < ?",
        ]
        let before = database.totalChanges
        for sql in ended { try run(sql, seq) }
        return database.totalChanges > before
    }

    private func run(_ sql: StaticString, _ first: UInt64) throws(SQLiteError) {
        let statement = try database.statement(sql)
        statement.bind(1, first)
        try statement.run()
    }

    private func run(_ sql: StaticString, _ first: Int64, _ second: UInt64) throws(SQLiteError) {
        let statement = try database.statement(sql)
        statement.bind(1, first)
        statement.bind(2, second)
        try statement.run()
    }
}
