internal import StoreCore

// Forgetting where devices and organisations were. An interval of the log matters as long as a row is left inside it: to that row
// it says whom it addressed. So each ended interval asks for itself whether there is one, and a configuration that is current for
// years keeps those that hold at its own position, not every one since.

/// What ends by intervals, in the order in which it is looked through.
enum Past: Int {
    /// A device was in an organisation.
    case organisation
    /// A device was a test device.
    case test
    /// An organisation was below another one, or a root.
    case parent
    /// A device had a holder: the others of the device lie inside.
    case holder

    var next: Past? { Past(rawValue: rawValue + 1) }
}

extension Tables {
    /// Looks at some intervals, in the order of their ends, of which no two are the same, and removes those without a row.
    /// - Parameters:
    ///   - after: those that ended later,
    ///   - before: and earlier.
    ///   - budget: what it takes; nothing more is begun when it is spent.
    /// - Returns: the end of the last one; `nil` where no more are left.
    func forget(
        _ past: Past, after: UInt64, before: UInt64, _ budget: StepBudget
    ) throws(SQLiteError) -> UInt64? {
        let limit = max(1, budget.left / StepBudget.row)
        let query = try database.statement(past.query)
        query.bind(1, after)
        query.bind(2, before)
        query.bind(3, limit)
        var found: [(subject: Int64, from: UInt64, to: UInt64, isNeeded: Bool, user: Int64?)] = []
        while try query.step() {
            found.append((query.int(0), query.position(1), query.position(2), query.int(3) != 0, query.optionalInt(4)))
        }
        var last = after
        for interval in found {
            if budget.isSpent { return last }
            budget.take(StepBudget.row)
            last = interval.to
            if interval.isNeeded { continue }
            budget.take(StepBudget.write)
            switch past {
            case .organisation:
                try remove("DELETE FROM past_org WHERE ordinal = ? AND from_seq = ?", interval.subject, interval.from)
            case .test: try remove("DELETE FROM past_test WHERE ordinal = ? AND from_seq = ?", interval.subject, interval.from)
            case .parent: try removeParent(of: interval.subject, interval.from)
            case .holder: try removeDevice(interval.subject, of: interval.user)
            }
        }
        return found.count < limit ? nil : last
    }

    /// An organisation is at each position of its life below another one, or a root. So when the last of these intervals goes,
    /// no row is left that may name it.
    private func removeParent(of org: Int64, _ from: UInt64) throws(SQLiteError) {
        try remove("DELETE FROM org_parent WHERE org = ? AND from_seq = ?", org, from)
        try remove(
            """
            DELETE FROM org WHERE org = ? AND removed = 1 AND NOT EXISTS (SELECT 1 FROM org_parent WHERE org_parent.org = org.org)
            """, org)
    }

    /// With its user, if it was the last device that had it: a row to a user lies in the life of one of the user's devices.
    private func removeDevice(_ ordinal: Int64, of user: Int64?) throws(SQLiteError) {
        try remove("DELETE FROM beyond WHERE ordinal = ?", ordinal)
        try remove("DELETE FROM device WHERE ordinal = ?", ordinal)
        guard let user else { return }
        try remove(
            "DELETE FROM holder WHERE user = ? AND NOT EXISTS (SELECT 1 FROM device WHERE device.user = holder.user)", user)
    }

    private func remove(_ sql: StaticString, _ subject: Int64, _ from: UInt64? = nil) throws(SQLiteError) {
        let delete = try database.statement(sql)
        delete.bind(1, subject)
        if let from { delete.bind(2, from) }
        try delete.run()
    }
}

extension Past {
    /// Whose interval it is, from where and to where it held, and whether a row lies inside.
    fileprivate var query: StaticString {
        switch self {
        case .organisation:
            """
            SELECT ordinal, from_seq, to_seq, EXISTS (SELECT 1 FROM message WHERE seq > from_seq AND seq < to_seq), NULL
            FROM past_org WHERE to_seq > ? AND to_seq < ? ORDER BY to_seq LIMIT ?
            """
        case .test:
            """
            SELECT ordinal, from_seq, to_seq, EXISTS (SELECT 1 FROM message WHERE seq > from_seq AND seq < to_seq), NULL
            FROM past_test WHERE to_seq > ? AND to_seq < ? ORDER BY to_seq LIMIT ?
            """
        case .parent:
            """
            SELECT org, from_seq, to_seq, EXISTS (SELECT 1 FROM message WHERE seq > from_seq AND seq < to_seq), NULL
            FROM past_parent WHERE to_seq > ? AND to_seq < ? ORDER BY to_seq LIMIT ?
            """
        case .holder:
            """
            SELECT ordinal, created_seq, retired_seq,
              EXISTS (SELECT 1 FROM message WHERE seq > created_seq AND seq < retired_seq), user
            FROM retired_device WHERE retired_seq > ? AND retired_seq < ? ORDER BY retired_seq LIMIT ?
            """
        }
    }
}
