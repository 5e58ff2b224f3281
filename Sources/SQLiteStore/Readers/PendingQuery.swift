internal import Push
internal import StoreCore

/// What a device still has to get: rows past its cursor whose target is the device, its user, or one of its organisation's
/// ancestors, each for the positions at which that held.
struct PendingQuery {
    let tables: Tables
    let view: Tail.View
    /// Store time: what has expired by then is left out.
    let now: Int64
    /// What was read of the same moment.
    var moment: Moment?
    /// The position before which everything is asked about: what was pending for a device when it changed.
    var end = MembershipHistory.forever

    /// Rows for a device, oldest first.
    struct Page {
        /// A reference with the row that it names.
        var rows: [(seq: UInt64, target: TargetKey, row: StoredRow)] = []
        var lookedUpTo: UInt64
        var history: MembershipHistory
        /// How many rows were looked at.
        var looked = 0
    }

    /// How many candidates of one target are looked at in one page: expired rows lie among them.
    private static let scan = 256

    /// - Parameter looking: how many rows are looked at, at most.
    /// - Returns: `nil` if there is no such device.
    func rows(for ordinal: UInt32, after: UInt64, limit: Int, looking: Int = .max) throws(SQLiteError) -> Page? {
        guard let history = try tables.devices.history(of: ordinal, since: after) else { return nil }
        let last = min(view.head, end - 1)
        guard after < last else { return Page(lookedUpTo: after, history: history) }
        // The holder is gone: what was pending is withdrawn.
        guard history.retired >= end else { return Page(lookedUpTo: last, history: history) }

        let perTarget = min(max(limit * 2, Self.scan), looking)
        let (candidates, looked) = try candidates(for: history, after: after, upTo: last, perTarget: perTarget)
        var page = Page(lookedUpTo: looked, history: history)
        for candidate in candidates where candidate.seq <= looked {
            if page.rows.count == limit || page.looked == looking {
                page.lookedUpTo = candidate.seq - 1
                break
            }
            page.looked += 1
            guard let row = try row(candidate.seq, to: candidate.target), try isFor(history, row) else { continue }
            if let reference = row.reference {
                guard let task = try tables.messages.row(reference), task.isDeliverable(at: now) else { continue }
                page.rows.append((candidate.seq, candidate.target, task))
            } else if row.isDeliverable(at: now) {
                page.rows.append((candidate.seq, candidate.target, row))
            }
        }
        return page
    }

    /// Rows that address the device, oldest first, as far as each target was looked at.
    private func candidates(
        for history: MembershipHistory, after: UInt64, upTo last: UInt64, perTarget: Int
    ) throws(SQLiteError) -> (found: [(seq: UInt64, target: TargetKey)], lookedUpTo: UInt64) {
        var looked = last
        var all: [(seq: UInt64, target: TargetKey)] = []
        let targets = try history.targets(after: after) { org throws(SQLiteError) in try parents(of: org) }
        for interval in targets {
            let low = max(after, interval.from)
            let high = min(interval.to, last + 1)
            guard low + 1 < high else { continue }
            let found = try positions(for: interval.value, after: low, before: high, limit: perTarget)
            if found.count >= perTarget, let last = found.last { looked = min(looked, last) }
            all += found.map { ($0, interval.value) }
        }
        all.sort { $0.seq < $1.seq }
        return (all, looked)
    }

    /// What an organisation was ever directly below.
    private func parents(of org: UInt32) throws(SQLiteError) -> [MembershipHistory.Interval<UInt32>] {
        if let known = moment?.parents[org] { return known }
        let found = try tables.organisations.parents(of: org)
        moment?.parents[org] = found
        return found
    }

    /// Positions of rows for one target, from the index and the tail.
    private func positions(
        for target: TargetKey, after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> [UInt64] {
        var found = try tables.indexes.positions(of: target, after: after, before: before, limit: limit)
        // Generations follow each other, and the index ends before the first that is not merged; one that was merged after this
        // view was taken is in both.
        for generation in view.generations where found.count < limit {
            let known = found.last ?? after
            found += generation.positions(of: target, after: known, before: before, limit: limit - found.count)
        }
        return found
    }

    private func row(_ seq: UInt64, to target: TargetKey) throws(SQLiteError) -> StoredRow? {
        guard let moment, target.kind != .device else { return try tables.messages.row(seq) }
        if let known = moment.rows[seq] { return known }
        let row = try tables.messages.row(seq)
        moment.rows[seq] = row
        return row
    }

    /// Whether a row of a target that addresses the device is for it.
    private func isFor(_ history: MembershipHistory, _ row: StoredRow) throws(SQLiteError) -> Bool {
        guard let membership = history.lastingMembership(since: row.seq, until: end) else { return false }
        let standing = try row.audience.standing(of: membership) { org, ancestor throws(SQLiteError) in
            try tables.organisations.isBelow(org.index, ancestor.index, at: row.seq)
        }
        return standing == .recipient
    }
}
