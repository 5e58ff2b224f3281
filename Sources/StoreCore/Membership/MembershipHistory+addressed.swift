package import Push

// Who was in a task's target when it was accepted: its intervals tell.

extension MembershipHistory {
    /// Whether a row addressed the device when it was accepted.
    ///
    /// The history has every interval that ended after the row's position.
    /// - Parameter isBelow: whether an organisation was another one, or below it, at the row's position.
    @inlinable
    package func wasAddressed<E: Error>(
        by row: StoredRow, isBelow: (OrgHandle, OrgHandle) throws(E) -> Bool
    ) throws(E) -> Bool {
        guard let membership = membership(at: row.seq) else { return false }
        return try row.addressed(ordinal, membership, isBelow: isBelow)
    }
}

extension StoredRow {
    /// Whether it addressed a device that belonged there when it was accepted.
    @inlinable
    package func addressed<E: Error>(
        _ ordinal: UInt32, _ membership: Membership, isBelow: (OrgHandle, OrgHandle) throws(E) -> Bool
    ) throws(E) -> Bool {
        let device = DeviceHandle(ordinal: ordinal)
        guard try target.rowTarget(in: theLane).includes(device, membership, isBelow: isBelow) else { return false }
        return try audience.standing(of: membership, isBelow: isBelow) != .outside
    }
}
