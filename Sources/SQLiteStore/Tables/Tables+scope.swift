internal import StoreCore

// Which tasks are inside an operator's scope.

extension Tables {
    /// Whether whom a task addressed is inside: an organisation itself; a device's organisation when the task was accepted; all
    /// devices that a user has now.
    /// - Parameters:
    ///   - seq: where the task was accepted.
    ///   - isInside: whether an organisation is, as the tree is now.
    func isInside(
        _ target: TargetKey, at seq: UInt64, _ isInside: (UInt32) -> Bool
    ) throws(SQLiteError) -> Bool {
        switch target.kind {
        case .organisation: return isInside(target.shortID)
        case .device:
            let history = try devices.history(of: target.shortID, since: seq)
            return history?.organisation(at: seq).map(isInside) ?? false
        case .user:
            let members = try devices.members(ofUser: target.id)
            return !members.isEmpty && members.allSatisfy { isInside($0.membership.organisation.index) }
        case nil: return false
        }
    }
}
