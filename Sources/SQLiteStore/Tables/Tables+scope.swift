internal import StoreCore

// Which tasks are inside an operator's scope.

extension Tables {
    /// Devices that a user may ever have had for anybody to find out whether all were inside: one with more is outside.
    static let mostDevicesJudged = 1_000

    /// Whether whom a task addressed is inside: an organisation itself; a device's organisation, and those of all devices that a
    /// user had, when the task was accepted.
    /// - Parameters:
    ///   - seq: where the task was accepted.
    ///   - isInside: whether an organisation is, as the tree is now.
    func isInside(
        _ target: TargetKey, at seq: UInt64, _ isInside: (UInt32) -> Bool
    ) throws(SQLiteError) -> Bool {
        var looked = 0
        return try self.isInside(target, at: seq, looked: &looked, isInside)
    }

    /// - Parameter looked: grows by the devices that were looked at.
    func isInside(
        _ target: TargetKey, at seq: UInt64, looked: inout Int, _ isInside: (UInt32) -> Bool
    ) throws(SQLiteError) -> Bool {
        switch target.kind {
        case .organisation: return isInside(target.shortID)
        case .device:
            looked += 1
            let history = try devices.history(of: target.shortID, since: seq)
            return history?.organisation(at: seq).map(isInside) ?? false
        case .user:
            return try areAllInside(ofUser: target.id, since: seq, looked: &looked) { history in
                // Whoever had not that user then was not addressed.
                guard history.users.contains(where: { $0.contains(seq) }) else { return nil }
                return history.organisation(at: seq).map(isInside) ?? false
            }
        case nil: return false
        }
    }

    /// Whether every device that a user has or had, as far as it is known, was inside for as long as it had that user. Of a user
    /// whose devices are all forgotten nobody can say so.
    func wasAlwaysInside(user: Int64, _ isInside: (UInt32) -> Bool) throws(SQLiteError) -> Bool {
        var looked = 0
        return try areAllInside(ofUser: user, since: 0, looked: &looked) { history in
            history.organisations.allSatisfy { held in
                isInside(held.value) || !history.users.contains { $0.from < held.to && held.from < $0.to }
            }
        }
    }

    /// Asks of each device that ever had a user, until one is not inside.
    /// - Parameter judge: `nil` for a device that does not matter.
    /// - Returns: whether there was one that mattered, and all of those were inside.
    private func areAllInside(
        ofUser user: Int64, since: UInt64, looked: inout Int, _ judge: (MembershipHistory) -> Bool?
    ) throws(SQLiteError) -> Bool {
        let page = 16
        var (first, count, isAny) = (Int64(0), 0, false)
        while true {
            let ordinals = try devices.ordinals(everOfUser: user, from: first, limit: page)
            for ordinal in ordinals {
                (looked, count, first) = (looked + 1, count + 1, Int64(ordinal) + 1)
                guard count <= Self.mostDevicesJudged else { return false }
                guard let history = try devices.history(of: ordinal, since: since), let isInside = judge(history) else {
                    continue
                }
                guard isInside else { return false }
                isAny = true
            }
            if ordinals.count < page { return isAny }
        }
    }
}
