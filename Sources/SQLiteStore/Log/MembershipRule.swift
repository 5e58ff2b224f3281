internal import Push

/// Who was in a task's target when it was accepted.
struct MembershipRule {
    let histories: HistoryReader

    /// - Parameter history: with every interval that ended after `row.seq`.
    func wasAddressed(_ history: MembershipHistory, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard let membership = history.membership(at: row.seq) else { return false }
        let device = DeviceHandle(ordinal: history.ordinal)
        func isBelow(_ org: OrgHandle, _ ancestor: OrgHandle) throws(SQLiteError) -> Bool {
            try histories.isBelow(org.index, ancestor.index, at: row.seq)
        }
        guard try row.target.rowTarget.includes(device, membership, isBelow: isBelow) else { return false }
        return try row.audience.standing(of: membership, isBelow: isBelow) != .outside
    }
}
