internal import Push

/// What a device still has to get: rows past its cursor whose target is the device, its user, or one of its organisation's
/// ancestors, each for the positions at which that held.
struct PendingQuery {
    let database: Database
    let view: Tail.View
    /// Unix milliseconds: what has expired by then is left out.
    let now: Int64
    /// What was read of the same moment.
    var moment: Moment?

    /// Rows for a device, oldest first.
    struct Result {
        /// A reference with the row that it names.
        var rows: [(seq: UInt64, target: TargetKey, row: StoredRow)] = []
        var lookedUpTo: UInt64
        var history: MembershipHistory
    }

    /// How many candidates of one target are looked at in one page: expired rows lie among them.
    private static let scan = 256

    /// - Returns: `nil` if there is no such device.
    func rows(for ordinal: UInt32, after: UInt64, limit: Int) throws(SQLiteError) -> Result? {
        let histories = HistoryReader(database: database, cache: moment)
        guard let history = try histories.history(of: ordinal, since: after) else { return nil }
        guard after < view.head else { return Result(lookedUpTo: after, history: history) }
        // The holder is gone: what was pending is withdrawn.
        guard history.retired == Schema.forever else { return Result(lookedUpTo: view.head, history: history) }

        var looked = view.head
        var candidates: [(seq: UInt64, target: TargetKey)] = []
        let perTarget = max(limit * 2, Self.scan)
        for interval in try intervals(of: history, histories: histories, after: after) {
            let low = max(after, interval.from)
            let high = min(interval.to, view.head + 1)
            guard low + 1 < high else { continue }
            let found = try positions(for: interval.value, after: low, before: high, limit: perTarget)
            if found.count >= perTarget, let last = found.last { looked = min(looked, last) }
            candidates += found.map { ($0, interval.value) }
        }
        candidates.sort { $0.seq < $1.seq }

        var result = Result(lookedUpTo: looked, history: history)
        let reader = RowReader(database: database)
        for candidate in candidates where candidate.seq <= looked {
            if result.rows.count == limit {
                result.lookedUpTo = candidate.seq - 1
                break
            }
            guard let row = try row(candidate.seq, to: candidate.target, reader) else { continue }
            guard try concerns(row, history, histories) else { continue }
            if let reference = row.reference {
                guard let task = try reader.row(reference), task.isDeliverable(at: now) else { continue }
                result.rows.append((candidate.seq, candidate.target, task))
            } else if row.isDeliverable(at: now) {
                result.rows.append((candidate.seq, candidate.target, row))
            }
        }
        return result
    }

    /// Every target that addressed the device after `after`, with the positions for which it did.
    private func intervals(
        of history: MembershipHistory, histories: HistoryReader, after: UInt64
    ) throws(SQLiteError) -> [MembershipHistory.Interval<TargetKey>] {
        var found = [
            MembershipHistory.Interval(value: TargetKey.device(history.ordinal), from: history.created, to: history.retired)
        ]
        for user in history.users {
            found.append(.init(value: .user(user.value), from: user.from, to: user.to))
        }
        for organisation in history.organisations where organisation.to > after {
            let above = try histories.ancestry(
                of: organisation.value, from: max(after, organisation.from), to: organisation.to)
            for ancestor in above {
                found.append(.init(value: .organisation(ancestor.value), from: ancestor.from, to: ancestor.to))
            }
        }
        return found
    }

    /// Positions of rows for one target, from the index and the tail.
    private func positions(
        for target: TargetKey, after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> [UInt64] {
        let query = try database.statement(
            "SELECT seq FROM target_index WHERE target = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?")
        query.bind(1, target.raw)
        query.bind(2, after)
        query.bind(3, before)
        query.bind(4, limit)
        var found: [UInt64] = []
        while try query.step() { found.append(query.position(0)) }
        // Generations follow each other, and the index ends before the first that is not merged; one that was merged after this
        // view was taken is in both.
        for generation in view.generations where found.count < limit {
            let known = found.last ?? after
            found += generation.rows(for: target, after: known, before: before, limit: limit - found.count)
        }
        return found
    }

    private func row(_ seq: UInt64, to target: TargetKey, _ reader: RowReader) throws(SQLiteError) -> StoredRow? {
        guard let moment, target.kind != .device else { return try reader.row(seq) }
        if let known = moment.rows[seq] { return known }
        let row = try reader.row(seq)
        moment.rows[seq] = row
        return row
    }

    private func concerns(
        _ row: StoredRow, _ history: MembershipHistory, _ histories: HistoryReader
    ) throws(SQLiteError) -> Bool {
        guard let membership = history.lastingMembership(since: row.seq) else { return false }
        return try row.audience.standing(of: membership) { org, ancestor throws(SQLiteError) in
            try histories.isBelow(org.index, ancestor.index, at: row.seq)
        } == .recipient
    }
}
