internal import Push

/// Who was in a task's target when it was accepted.
struct MembershipRule {
    let histories: HistoryReader

    /// - Parameter history: with every interval that ended after `row.seq`.
    func wasAddressed(_ history: MembershipHistory, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard history.created < row.seq, row.seq < history.retired else { return false }
        if row.isTestOnly && !history.isTest(at: row.seq) { return false }
        guard let org = history.organisation(at: row.seq) else { return false }
        switch row.target.kind {
        case .device: return row.target.id == Int64(history.ordinal)
        case .user:
            guard history.user(at: row.seq) == row.target.id else { return false }
            guard let within = row.within else { return true }
            return try histories.isBelow(org, within, at: row.seq)
        case .organisation:
            return try histories.isBelow(org, UInt32(truncatingIfNeeded: row.target.id), at: row.seq)
        case nil: return false
        }
    }
}
