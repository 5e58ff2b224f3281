internal import Push
internal import StoreCore

// Who was in a task's target when it was accepted: its intervals tell.

extension Tables {
    func wasAddressed(_ ordinal: UInt32, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard let history = try devices.history(of: ordinal, since: row.seq) else { return false }
        return try wasAddressed(history, by: row)
    }

    /// - Parameter history: with every interval that ended after `row.seq`.
    func wasAddressed(_ history: MembershipHistory, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard let membership = history.membership(at: row.seq) else { return false }
        let device = DeviceHandle(ordinal: history.ordinal)
        func isBelow(_ org: OrgHandle, _ ancestor: OrgHandle) throws(SQLiteError) -> Bool {
            try organisations.isBelow(org.index, ancestor.index, at: row.seq)
        }
        guard try row.target.rowTarget(in: theLane).includes(device, membership, isBelow: isBelow) else { return false }
        return try row.audience.standing(of: membership, isBelow: isBelow) != .outside
    }
}
