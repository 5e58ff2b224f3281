internal import Push
internal import StoreCore

// What was where: what was addressed is judged by it.

extension DirectoryState {
    /// Whether an organisation was another one or below it at a position.
    func isBelow(_ org: UInt32, _ ancestor: UInt32, at seq: UInt64) -> Bool {
        var current: UInt32? = org
        while let org = current {
            if org == ancestor { return true }
            current = parents(of: org).first { $0.contains(seq) }?.value
        }
        return false
    }

    /// Whether an organisation is inside of a scope now.
    func isInside(_ org: UInt32, _ scope: OrgID?) -> Bool {
        guard let scope else { return true }
        guard tree[org] != nil, let top = tree[scope] else { return false }
        return tree.isBelow(org, top.org)
    }

    /// The same of a device, or of one that was.
    func isInside(_ history: MembershipHistory, _ scope: OrgID?) -> Bool {
        guard scope != nil else { return true }
        return history.organisations.last.map { isInside($0.value, scope) } ?? false
    }

    /// Whether a task addressed a device when it was accepted.
    /// - Parameter history: with everything that ended after the task's position.
    func wasAddressed(_ history: MembershipHistory, by row: StoredRow) -> Bool {
        history.wasAddressed(by: row) { org, ancestor in isBelow(org.index, ancestor.index, at: row.seq) }
    }

    /// Whether a row of a target that addresses the device is for it still.
    func isFor(_ history: MembershipHistory, _ entry: LogEntry) -> Bool {
        guard let membership = history.lastingMembership(since: entry.seq) else { return false }
        let standing = entry.audience.standing(of: membership) { org, ancestor in
            isBelow(org.index, ancestor.index, at: entry.seq)
        }
        return standing == .recipient
    }
}
