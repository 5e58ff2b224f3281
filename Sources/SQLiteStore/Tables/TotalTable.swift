internal import Base
internal import Push
internal import StoreCore

/// `total`, `total_expiry` and `summed`: the counts of tasks, summed up by app, tag and hour.
///
/// Sums trail behind the log: they hold every task up to ``upTo()``, and each is what the view `task_counts` says of these
/// tasks, whenever a transaction ends. So whatever changes what the view says of a summed task changes its sum with it: receipts
/// as they are written, an end, an expiry, retention.
final class TotalTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// Every task up to there is in its sum.
    func upTo() throws(SQLiteError) -> UInt64 {
        UInt64(bitPattern: try database.number("SELECT upto FROM summed") ?? 0)
    }

    // MARK: Tasks

    /// Sums up a stretch of the log that follows what is summed. Inside a transaction.
    ///
    /// Here and not by the statement of ``add(_:_:)``: that one looks up each task's hour and place, groups by sorting, and took
    /// twice the time.
    /// - Parameter stretches: by which times are read.
    func extend(from first: UInt64, to last: UInt64, _ stretches: Stretches) throws(SQLiteError) {
        let move = try database.statement("UPDATE summed SET upto = ?")
        move.bind(1, last)
        try move.run()
        let query = try database.statement(
            """
            SELECT seq, kind, app, tag, created, expires, status, targeted, delivered, withdrawn, skipped, rejected, opened,
              applied, failed, rest
            FROM task_counts WHERE seq > ? AND seq <= ? ORDER BY seq
            """)
        query.bind(1, first)
        query.bind(2, last)
        var sums: [TotalKey: Sum] = [:]
        var expiring: [(seq: UInt64, due: Int64)] = []
        while try query.step() {
            guard let tag = query.optionalExactText(3) else { continue }
            let seq = query.position(0)
            let stretch = stretches[seq]
            let key = TotalKey(app: query.int(2), tag: tag, createdAt: query.int(4) + stretch.shift + stretch.offset)
            var counts = Counts(stored: query, from: 7)
            let (rest, end) = (Int(query.int(15)), StoredRow.End(rawValue: query.int(6)) ?? .none)
            // First as pending, whether or not it has expired: see ``expire(at:limit:_:)``. What nobody waits for any more stays
            // as it is; a configuration may be joined later.
            counts.add(rest: rest, of: end, isExpired: false)
            let mayChange = rest > 0 || query.int(1) == StoredRow.Kind.configuration.rawValue
            if end == .none, mayChange, let due = query.optionalInt(5) { expiring.append((seq, due)) }
            sums[key, default: Sum(first: seq)].add(counts, seq)
        }
        for (seq, due) in expiring {
            let remember = try database.statement("INSERT OR IGNORE INTO total_expiry(seq, due) VALUES(?, ?)")
            remember.bind(1, seq)
            remember.bind(2, due)
            try remember.run()
        }
        for (key, sum) in sums { try add(sum, to: key) }
    }

    /// Tasks of one key that are summed at a time.
    private struct Sum {
        let first: UInt64
        var last: UInt64 = 0
        var tasks = 0
        var counts = Counts()

        init(first: UInt64) { self.first = first }

        mutating func add(_ counts: Counts, _ seq: UInt64) {
            tasks += 1
            last = seq
            self.counts += counts
        }
    }

    private func add(_ sum: Sum, to key: TotalKey) throws(SQLiteError) {
        let begin = try database.statement(
            """
            INSERT OR IGNORE INTO total(app, tag, hour, tasks, targeted, delivered, pending, expired, superseded, cancelled,
              withdrawn, skipped, rejected, opened, applied, failed, first, last)
            VALUES(?1, ?2, ?3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?4, ?5)
            """)
        bind(key, to: begin, at: 1)
        begin.bind(4, sum.first)
        begin.bind(5, sum.last)
        try begin.run()
        let grow = try database.statement(
            """
            UPDATE total SET tasks = tasks + ?4, first = min(first, ?5), last = max(last, ?6)
            WHERE app = ?1 AND tag = ?2 AND hour = ?3
            """)
        bind(key, to: grow, at: 1)
        grow.bind(4, sum.tasks)
        grow.bind(5, sum.first)
        grow.bind(6, sum.last)
        try grow.run()
        try add(sum.counts, to: key)
    }

    /// Takes a task that is about to change out of its sum, or adds one that was changed; one that is not summed yet is left to
    /// ``extend(from:to:_:)``.
    func add(_ sign: Int, _ seq: UInt64) throws(SQLiteError) { try add(sign, after: seq - 1, upTo: seq) }

    /// Takes a task out that is about to be forgotten.
    func remove(_ seq: UInt64, _ key: TotalKey) throws(SQLiteError) {
        try add(-1, seq)
        let tidy = try database.statement("DELETE FROM total WHERE app = ? AND tag = ? AND hour = ? AND tasks = 0")
        bind(key, to: tidy, at: 1)
        try tidy.run()
        try forgetExpiry(of: seq)
    }

    private func add(_ sign: Int, after first: UInt64, upTo last: UInt64) throws(SQLiteError) {
        // A group for each place, and the sums meet in the row: so the place of a task is looked up once.
        let add = try database.statement(
            """
            INSERT INTO total(app, tag, hour, tasks, targeted, delivered, pending, expired, superseded, cancelled, withdrawn,
              skipped, rejected, opened, applied, failed, first, last)
            SELECT app, tag, hour, ?1 * count(*), ?1 * sum(targeted), ?1 * sum(delivered), ?1 * iif(place = 0, sum(rest), 0),
              ?1 * iif(place = 1, sum(rest), 0), ?1 * iif(place = 2, sum(rest), 0), ?1 * iif(place = 3, sum(rest), 0),
              ?1 * sum(withdrawn), ?1 * sum(skipped), ?1 * sum(rejected), ?1 * sum(opened), ?1 * sum(applied), ?1 * sum(failed),
              min(seq), max(seq)
            FROM task_counts WHERE seq > ?2 AND seq <= ?3 AND seq <= (SELECT upto FROM summed) GROUP BY app, tag, hour, place
            ON CONFLICT(app, tag, hour) DO UPDATE SET
              tasks = tasks + excluded.tasks, targeted = targeted + excluded.targeted, delivered = delivered + excluded.delivered,
              pending = pending + excluded.pending, expired = expired + excluded.expired,
              superseded = superseded + excluded.superseded, cancelled = cancelled + excluded.cancelled,
              withdrawn = withdrawn + excluded.withdrawn, skipped = skipped + excluded.skipped,
              rejected = rejected + excluded.rejected, opened = opened + excluded.opened, applied = applied + excluded.applied,
              failed = failed + excluded.failed, first = min(first, excluded.first), last = max(last, excluded.last)
            """)
        add.bind(1, sign)
        add.bind(2, first)
        add.bind(3, last)
        try add.run()
    }

    /// The last task with a tag between two positions, the second included; `nil` where there is none.
    func last(after first: UInt64, upTo last: UInt64) throws(SQLiteError) -> UInt64? {
        let query = try database.statement("SELECT max(seq) FROM task_counts WHERE seq > ? AND seq <= ?")
        query.bind(1, first)
        query.bind(2, last)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.optionalInt(0).map { UInt64(bitPattern: $0) }
    }

    // MARK: Receipts

    /// Adds what the counters of summed tasks have grown by. In the transaction that writes them.
    func add(_ change: Counts, to key: TotalKey) throws(SQLiteError) {
        let update = try database.statement(
            """
            UPDATE total SET targeted = targeted + ?4, delivered = delivered + ?5, pending = pending + ?6, expired = expired + ?7,
              superseded = superseded + ?8, cancelled = cancelled + ?9, withdrawn = withdrawn + ?10, skipped = skipped + ?11,
              rejected = rejected + ?12, opened = opened + ?13, applied = applied + ?14, failed = failed + ?15
            WHERE app = ?1 AND tag = ?2 AND hour = ?3
            """)
        bind(key, to: update, at: 1)
        let counts = [
            change.targeted, change.delivered, change.pending, change.expired, change.superseded, change.cancelled,
            change.withdrawn, change.skippedOversize, change.rejected, change.opened, change.applied, change.failed,
        ]
        for (index, count) in counts.enumerated() { update.bind(Int32(4 + index), count) }
        try update.run()
    }

    private func bind(_ key: TotalKey, to statement: Statement, at first: Int32) {
        statement.bind(first, key.app)
        statement.bind(first + 1, key.tag)
        statement.bind(first + 2, key.hour)
    }

    // MARK: Expiry

    /// Whether a summed task may have expired that is still summed as pending.
    func hasDue(at now: Int64) throws(SQLiteError) -> Bool {
        let query = try database.statement("SELECT 1 FROM total_expiry WHERE due <= ? LIMIT 1")
        query.bind(1, now)
        defer { query.reset() }
        return try query.step()
    }

    /// Whether a summed task that may expire is summed as expired.
    func isExpired(_ seq: UInt64) throws(SQLiteError) -> Bool {
        let query = try database.statement("SELECT 1 FROM total_expiry WHERE seq = ?")
        query.bind(1, seq)
        defer { query.reset() }
        return try !query.step()
    }

    /// What summing one task as expired costs: it leaves one place and comes to another.
    static let expirySteps = 3 * StepBudget.write

    /// Sums the first of those that are due, at most so many, as expired. Inside a transaction.
    /// - Parameter stretches: by which times are read. Some expire later than they did when they were written, never earlier.
    /// - Returns: how many were due.
    func expire(at now: Int64, limit: Int, _ stretches: Stretches) throws(SQLiteError) -> Int {
        let find = try database.statement(
            """
            SELECT total_expiry.seq, message.expires FROM total_expiry LEFT JOIN message ON message.seq = total_expiry.seq
            WHERE due <= ? ORDER BY due LIMIT ?
            """)
        find.bind(1, now)
        find.bind(2, limit)
        var due: [(seq: UInt64, expires: Int64?)] = []
        while try find.step() { due.append((find.position(0), find.optionalInt(1))) }
        for (seq, expires) in due {
            if let expires = expires.map({ $0 + stretches[seq].shift }), expires > now {
                let postpone = try database.statement("UPDATE total_expiry SET due = ? WHERE seq = ?")
                postpone.bind(1, expires)
                postpone.bind(2, seq)
                try postpone.run()
            } else {
                try add(-1, seq)
                try forgetExpiry(of: seq)
                try add(1, seq)
            }
        }
        return due.count
    }

    private func forgetExpiry(of seq: UInt64) throws(SQLiteError) {
        let forget = try database.statement("DELETE FROM total_expiry WHERE seq = ?")
        forget.bind(1, seq)
        try forget.run()
    }

    // MARK: Questions

    /// The sums of an app's tasks with a tag over hours from one on and before another.
    func sum(app: Int64, tag: ExactText, from first: Int64, before end: Int64) throws(SQLiteError) -> TagTotals {
        let query = try database.statement(
            """
            SELECT ifnull(sum(tasks), 0), sum(targeted), sum(delivered), sum(pending), sum(expired), sum(superseded),
              sum(cancelled), sum(withdrawn), sum(skipped), sum(rejected), sum(opened), sum(applied), sum(failed)
            FROM total WHERE app = ? AND tag = ? AND hour >= ? AND hour < ?
            """)
        query.bind(1, app)
        query.bind(2, tag)
        query.bind(3, first)
        query.bind(4, end)
        guard try query.step() else { return TagTotals() }
        defer { query.reset() }
        var totals = TagTotals(tasks: Int(query.int(0)))
        totals.counts.targeted = Int(query.int(1))
        totals.counts.delivered = Int(query.int(2))
        totals.counts.pending = Int(query.int(3))
        totals.counts.expired = Int(query.int(4))
        totals.counts.superseded = Int(query.int(5))
        totals.counts.cancelled = Int(query.int(6))
        totals.counts.withdrawn = Int(query.int(7))
        totals.counts.skippedOversize = Int(query.int(8))
        totals.counts.rejected = Int(query.int(9))
        totals.counts.opened = Int(query.int(10))
        totals.counts.applied = Int(query.int(11))
        totals.counts.failed = Int(query.int(12))
        return totals
    }

    /// Between which positions the tasks of an hour lie, both included; `nil` where there are none.
    func positions(app: Int64, tag: ExactText, hour: Int64) throws(SQLiteError) -> ClosedRange<UInt64>? {
        let query = try database.statement("SELECT first, last FROM total WHERE app = ? AND tag = ? AND hour = ?")
        query.bind(1, app)
        query.bind(2, tag)
        query.bind(3, hour)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.position(0)...max(query.position(0), query.position(1))
    }

    /// When a task was accepted, as people see it, and its counts; `nil` where there is none, or none with a tag.
    /// - Parameters:
    ///   - now: store time: what has expired by then is expired.
    ///   - stretch: by which its times are read.
    func counts(of seq: UInt64, at now: Int64, _ stretch: Stretch) throws(SQLiteError) -> (createdAt: Int64, counts: Counts)? {
        let query = try database.statement(
            """
            SELECT created, targeted, delivered, withdrawn, skipped, rejected, opened, applied, failed, rest, status, expires
            FROM task_counts WHERE seq = ?
            """)
        query.bind(1, seq)
        guard try query.step() else { return nil }
        defer { query.reset() }
        var counts = Counts(stored: query, from: 1)
        let end = StoredRow.End(rawValue: query.int(10)) ?? .none
        let isExpired = query.optionalInt(11).map { $0 + stretch.shift <= now } ?? false
        counts.add(rest: Int(query.int(9)), of: end, isExpired: isExpired)
        return (query.int(0) + stretch.shift + stretch.offset, counts)
    }
}

/// What statistics tell of tasks with a tag.
struct TagTotals: Sendable {
    var tasks = 0
    var counts = Counts()
}

extension Counts {
    /// Those that the file tells of a task, as `task_counts` has them in a row.
    fileprivate init(stored query: Statement, from column: Int32) {
        self.init()
        targeted = Int(query.int(column))
        delivered = Int(query.int(column + 1))
        withdrawn = Int(query.int(column + 2))
        skippedOversize = Int(query.int(column + 3))
        rejected = Int(query.int(column + 4))
        opened = Int(query.int(column + 5))
        applied = Int(query.int(column + 6))
        failed = Int(query.int(column + 7))
    }
}
