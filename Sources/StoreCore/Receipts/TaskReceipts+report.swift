package import Push

// Where a task stands, and its counts, from its row and its receipts.

extension TaskReceipts {
    /// The task's status. Expiry and completion are computed; the rest somebody did.
    /// - Parameter now: store time: what has expired by then is expired.
    package func status(of row: StoredRow, at now: Int64) -> TaskStatus {
        switch row.end {
        case .cancelled: return .cancelled
        case .superseded: return .superseded
        case .none: break
        }
        let isExpired = row.expires.map { $0 <= now } ?? false
        if rest == 0 && (row.kind == .message || isExpired) { return .completed }
        return isExpired ? .expired : .active
    }

    /// The task's counts.
    package func counts(of row: StoredRow, at time: Int64) -> Counts {
        counts(of: row.end, isExpired: row.expires.map { $0 <= time } ?? false)
    }

    /// The same of a task that was ended so, or has expired.
    package func counts(of end: StoredRow.End, isExpired: Bool) -> Counts {
        let now = counters
        var counts = Counts()
        counts.targeted = targeted + now.joined
        counts.delivered = now.delivered
        counts.withdrawn = now.withdrawn
        counts.skippedOversize = now.skipped + skippedAtAccept
        counts.rejected = now.rejected
        counts.opened = now.opened
        counts.applied = now.applied
        counts.failed = now.failed
        // Those that are in no stored state are one number, whose name is the task's status.
        counts.add(rest: rest, of: end, isExpired: isExpired)
        return counts
    }
}

extension RecipientState {
    /// What the devices of a task are that are in no stored state.
    package init(restOf status: TaskStatus) {
        self =
            switch status {
            case .active, .completed: .pending
            case .expired: .expired
            case .cancelled: .cancelled
            case .superseded: .superseded
            }
    }
}

extension StoredRow {
    /// When the task ended, or will, in store time; `nil` for a configuration that is current and never expires.
    /// - Parameter completed: when its last device had it.
    package func endTime(completed: Int64?) -> Int64? {
        if end != .none { return endedAt }
        return kind == .message ? completed ?? expires : expires
    }
}
