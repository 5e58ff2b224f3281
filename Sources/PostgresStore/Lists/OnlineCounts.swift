/// How many devices of each organisation, and of everything below it, are connected to this node. The node tells the others what
/// has changed; a claim takes no longer for it.
struct OnlineCounts {
    /// By device: which organisation counts it.
    private var organisations: [UInt32: UInt32] = [:]
    /// Of each organisation itself.
    private var own: [UInt32: Int] = [:]
    /// With everything below, as the others know it.
    private var told: [UInt32: Int] = [:]
    private var isChanged = false
    /// This process has told something.
    private(set) var hasTold = false

    mutating func begin(_ ordinal: UInt32, in org: UInt32) {
        end(ordinal)
        organisations[ordinal] = org
        own[org, default: 0] += 1
        isChanged = true
    }

    /// A device that is connected is somewhere else.
    mutating func move(_ ordinal: UInt32, to org: UInt32) {
        if organisations[ordinal] != nil { begin(ordinal, in: org) }
    }

    mutating func end(_ ordinal: UInt32) {
        guard let org = organisations.removeValue(forKey: ordinal) else { return }
        let count = own[org, default: 1] - 1
        own[org] = count == 0 ? nil : count
        isChanged = true
    }

    /// The tree has another shape.
    mutating func moveOrganisations() { isChanged = true }

    /// What is to be told now.
    /// - Parameter path: an organisation and everything above it.
    mutating func changes(path: (UInt32) -> [UInt32]) -> [(org: UInt32, devices: Int)] {
        guard isChanged else { return [] }
        isChanged = false
        var now: [UInt32: Int] = [:]
        for (org, count) in own { for above in path(org) { now[above, default: 0] += count } }
        var changes = now.filter { told[$0.key] != $0.value }.map { (org: $0.key, devices: $0.value) }
        for (org, count) in told where count != 0 && now[org] == nil { changes.append((org, 0)) }
        return changes
    }

    mutating func tell(_ changes: [(org: UInt32, devices: Int)]) {
        for change in changes { told[change.org] = change.devices == 0 ? nil : change.devices }
        hasTold = true
    }

    /// Nobody knows whether it was told: once more.
    mutating func takeBack(_ changes: [(org: UInt32, devices: Int)]) {
        for change in changes { told[change.org] = -1 }
        isChanged = true
    }
}
