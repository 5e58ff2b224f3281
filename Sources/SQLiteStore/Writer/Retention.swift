internal import Push

/// Forgets tasks some time after they ended, with all that belongs to them, and the intervals that no task refers to any more. Works
/// in small slices, so that no push waits for it.
struct Retention {
    /// Rows that one slice looks at.
    private static let slice = 200

    let database: Database
    let rows: RowReader
    /// How long an ended task is kept, in milliseconds.
    let lifetime: Int64

    init(_ database: Database, lifetime: Int64) {
        self.database = database
        rows = RowReader(database: database)
        self.lifetime = lifetime
    }

    /// Looks at the next rows of the log, oldest first. Inside a transaction.
    /// - Parameter after: where the slice before ended.
    /// - Returns: where this one ended; `nil` when it came to rows that cannot be due yet.
    func sweep(after: UInt64, now: Int64, isFirst: inout Bool, forget: (UInt64) -> Void) throws(SQLiteError) -> UInt64? {
        let query = try database.statement(
            "SELECT seq FROM message WHERE seq > ? AND created < ? ORDER BY seq LIMIT ?")
        query.bind(1, after)
        query.bind(2, now - lifetime)
        query.bind(3, Self.slice)
        var positions: [UInt64] = []
        while try query.step() { positions.append(query.position(0)) }
        for seq in positions {
            guard let row = try rows.row(seq) else { continue }
            if try isDue(row, now: now) {
                try remove(row)
                forget(seq)
            } else if isFirst {
                // Everything older is gone: so may be the intervals that ended before it.
                isFirst = false
                try removeIntervals(before: seq)
            }
        }
        return positions.count == Self.slice ? positions.last : nil
    }

    private func isDue(_ row: StoredRow, now: Int64) throws(SQLiteError) -> Bool {
        if let reference = row.reference { return try rows.row(reference) == nil }
        guard let ended = try endOf(row) else { return false }
        return ended + lifetime <= now
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
    private func removeIntervals(before seq: UInt64) throws(SQLiteError) {
        try run("DELETE FROM past_org WHERE to_seq < ?", seq)
        try run("DELETE FROM past_user WHERE to_seq < ?", seq)
        try run("DELETE FROM past_test WHERE to_seq < ?", seq)
        try run("DELETE FROM org_parent WHERE to_seq < ?", seq)
        try run("DELETE FROM device WHERE retired_seq < ?", seq)
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
