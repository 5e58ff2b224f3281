internal import Push

/// Tasks as callers and operators see them, from one snapshot.
struct ReportReader {
    let context: Reader.Context
    /// Unix milliseconds: what has expired by then is expired.
    let now: Int64

    private var rows: RowReader { RowReader(database: context.database) }
    private var receipts: ReceiptReader { ReceiptReader(database: context.database) }

    /// A task's row, if there is one and `app` may see it.
    func row(of task: TaskID, to app: AppKey?) throws(SQLiteError) -> StoredRow? {
        guard let seq = context.tasks.position(of: task), let row = try rows.row(seq), row.reference == nil else { return nil }
        if let app, try number(of: app) != row.app { return nil }
        return row
    }

    func report(_ row: StoredRow) throws(SQLiteError) -> TaskReport {
        let receipts = try receipts.receipts(of: row)
        return TaskReport(
            task: context.tasks.id(of: row.seq), app: try context.appKey(row.app), interface: row.interface,
            target: try target(of: row), payload: row.payload, testOnly: row.isTestOnly, description: row.description,
            tag: row.tag, createdAt: row.created, expireAt: row.expires, status: status(of: row, receipts),
            counts: counts(of: row, receipts))
    }

    /// Where a task stands. Expiry and completion are computed; the rest somebody did.
    func status(of row: StoredRow, _ receipts: TaskReceipts) -> TaskStatus {
        switch row.end {
        case .cancelled: return .cancelled
        case .superseded: return .superseded
        case .none: break
        }
        let isExpired = row.expires.map { $0 <= now } ?? false
        if receipts.rest == 0 && (row.kind == .message || isExpired) { return .completed }
        return isExpired ? .expired : .active
    }

    func counts(of row: StoredRow, _ receipts: TaskReceipts) -> Counts {
        var counts = Counts()
        counts.targeted = receipts.targeted + receipts.joined
        counts.delivered = receipts.delivered
        counts.withdrawn = receipts.withdrawn
        counts.skippedOversize = receipts.skipped + receipts.skippedAtAccept
        counts.opened = receipts.opened
        counts.applied = receipts.applied
        counts.failed = receipts.failed
        // Those that are in no stored state are one number, whose name is the task's status.
        switch status(of: row, receipts) {
        case .active, .completed: counts.pending = receipts.rest
        case .expired: counts.expired = receipts.rest
        case .cancelled: counts.cancelled = receipts.rest
        case .superseded: counts.superseded = receipts.rest
        }
        return counts
    }

    /// The app's number, as its tasks name it; `nil` if there is no such app now.
    func number(of app: AppKey) throws(SQLiteError) -> Int64? {
        let query = try context.database.statement("SELECT app FROM app WHERE appkey = ? AND removed = 0")
        query.bind(1, app.text)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return query.int(0)
    }

    private func target(of row: StoredRow) throws(SQLiteError) -> PushRequest.Target {
        switch row.target.kind {
        case .device:
            .device(DeviceToken(unchecked: try name("SELECT token FROM device WHERE ordinal = ?", row.target.id)))
        case .user:
            .user(UserID(unchecked: try name("SELECT user_id FROM holder WHERE user = ?", row.target.id)))
        case .organisation, nil:
            .organisation(OrgID(unchecked: try name("SELECT org_id FROM org WHERE org = ?", row.target.id)))
        }
    }

    private func name(_ sql: StaticString, _ id: Int64) throws(SQLiteError) -> String {
        let query = try context.database.statement(sql)
        query.bind(1, id)
        guard try query.step() else { return "" }
        defer { query.reset() }
        return query.text(0)
    }

    // MARK: Lists

    /// Rows that one page looks at: a page may hold fewer tasks than asked, even none.
    private static let scan = 5_000

    /// Newest first.
    func tasks(_ filter: TaskFilter, before: UInt64, limit: Int) throws(SQLiteError) -> Page<TaskReport> {
        let app: Set<Int64>? =
            if let key = filter.app { try numbers("SELECT app FROM app WHERE appkey = ?", key.text) } else { nil }
        let org: Set<Int64>? =
            if let id = filter.organisation { try numbers("SELECT org FROM org WHERE org_id = ?", id.text) } else { nil }
        var start = before
        if let to = filter.to { start = min(start, try firstPosition(createdAtOrAfter: to, below: before)) }

        let query = try context.database.statement(
            "SELECT seq, kind, app, target, created FROM message WHERE seq < ? ORDER BY seq DESC LIMIT ?")
        query.bind(1, start)
        query.bind(2, Self.scan)
        var looked = 0
        var last = start
        var ended = false
        var found: [UInt64] = []
        while found.count < limit, try query.step() {
            looked += 1
            last = query.position(0)
            if let from = filter.from, query.int(4) < from {
                ended = true
                break
            }
            let target = TargetKey(raw: query.int(3))
            guard query.int(1) != StoredRow.Kind.reference.rawValue, app?.contains(query.int(2)) ?? true else { continue }
            if let org, !(target.kind == .organisation && org.contains(target.id)) { continue }
            found.append(last)
        }
        if looked < Self.scan && found.count < limit { ended = true }
        query.reset()
        var items: [TaskReport] = []
        for seq in found { if let row = try rows.row(seq) { items.append(try report(row)) } }
        return Page(items: items, next: ended ? nil : PageToken(String(last)))
    }

    /// All numbers that a name ever had: what was deleted, or made anew, still has tasks that an operator may have to recall.
    private func numbers(_ sql: StaticString, _ name: String) throws(SQLiteError) -> Set<Int64> {
        let query = try context.database.statement(sql)
        query.bind(1, name)
        var found: Set<Int64> = []
        while try query.step() { found.insert(query.int(0)) }
        return found
    }

    /// Positions and times have one order, so that a time is found by halving.
    private func firstPosition(createdAtOrAfter time: Int64, below: UInt64) throws(SQLiteError) -> UInt64 {
        var low: UInt64 = 0
        var high = below
        let query = try context.database.statement("SELECT seq, created FROM message WHERE seq >= ? ORDER BY seq LIMIT 1")
        while low < high {
            let middle = low + (high - low) / 2
            query.bind(1, middle)
            let isAtOrAfter = try query.step() ? query.int(1) >= time : true
            query.reset()
            if isAtOrAfter { high = middle } else { low = middle + 1 }
        }
        return low
    }

    // MARK: Totals

    /// Tasks that one slice of a sum looks at, and how many there may be in all.
    static let totalsSlice = 5_000
    static let totalsLimit = 1_000_000

    /// Positions of an app's tasks with a tag, after `after`, ascending.
    func positions(app: Int64, tag: String, after: UInt64, view: Tail.View) throws(SQLiteError) -> [UInt64] {
        let query = try context.database.statement(
            "SELECT seq FROM tag_index WHERE app = ? AND tag = ? AND seq > ? ORDER BY seq LIMIT ?")
        query.bind(1, app)
        query.bind(2, tag)
        query.bind(3, after)
        query.bind(4, Self.totalsSlice)
        var found: [UInt64] = []
        while try query.step() { found.append(query.position(0)) }
        guard found.count < Self.totalsSlice else { return found }
        for generation in view.generations {
            let known = found.last ?? after
            found += generation.rows(app: app, tag: tag).filter { $0 > known && $0 <= view.head }
        }
        return Array(found.prefix(Self.totalsSlice))
    }

    /// Counts of one task, if it was created in the time asked for.
    func counts(at seq: UInt64, from: Int64?, to: Int64?) throws(SQLiteError) -> Counts? {
        guard let row = try rows.row(seq) else { return nil }
        if let from, row.created < from { return nil }
        if let to, row.created >= to { return nil }
        return counts(of: row, try receipts.receipts(of: row))
    }
}
