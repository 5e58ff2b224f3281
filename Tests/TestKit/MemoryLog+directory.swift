public import Push

// The directory as it is now, or as it was at a position.

extension MemoryLog {
    func isBelow(_ organisation: OrgHandle, _ ancestor: OrgHandle, at position: Position) -> Bool {
        var current: OrgHandle? = organisation
        while let handle = current {
            if handle == ancestor { return true }
            let record = organisations.values.first { $0.handle == handle }
            current = record?.parents.last { $0.since <= position }?.parent
        }
        return false
    }

    func isBelow(_ organisation: OrgID, _ ancestor: OrgHandle) -> Bool {
        handle(of: organisation).map { isBelow($0, ancestor, at: end) } ?? false
    }

    /// Whether it still has devices or children.
    func isInUse(_ organisation: OrgHandle) -> Bool {
        organisations.values.contains { $0.parents.last?.parent == organisation }
            || devices.values.contains { handle(of: $0.organisation) == organisation }
    }

    /// An organisation with its subtree's counters.
    public func organisation(_ id: OrgID) -> Organisation? {
        guard let record = organisations[id] else { return nil }
        let below = devices.values.filter { isBelow($0.organisation, record.handle) }
        let parent = record.parents.last?.parent.flatMap { handle in organisations.first { $0.value.handle == handle }?.key }
        return Organisation(
            id: id, name: record.name, parent: parent, devices: below.count, online: below.count { $0.session != nil })
    }

    var allOrganisations: [Organisation] { organisations.keys.compactMap { organisation($0) } }

    mutating func removeOrganisation(_ id: OrgID) { organisations[id] = nil }
}

extension MemoryLog.DeviceRecord {
    /// As the directory shows it.
    var device: Device {
        let membership = memberships.last?.membership
        return Device(
            token: token, platform: membership?.platform ?? .android, organisation: organisation, user: user,
            test: membership?.test ?? false, online: session != nil, node: session.map { _ in MemoryStore.node }, lastSeen: nil,
            certificate: certificate)
    }
}
