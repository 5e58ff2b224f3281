internal import StoreCore

/// A walk through the devices of a subtree, organisation by organisation in the order of their numbers. The tree stands still
/// meanwhile.
final class SubtreeWalk {
    let number: Int64
    let past: PastMembers
    private let organisations: [UInt32]

    init(_ number: Int64, _ organisations: [UInt32], _ past: PastMembers) {
        self.number = number
        self.organisations = organisations.sorted()
        self.past = past
    }

    /// Where the walk goes on after a device; after the organisation's last without one.
    static func place(_ org: UInt32, _ device: UInt32?) -> UInt64 { UInt64(org) << 32 | UInt64(device ?? .max) }

    /// The organisation at a place, and after which of its devices to go on; `nil` at the end.
    func organisation(from place: UInt64) -> (org: UInt32, after: UInt32)? {
        let (org, device) = (UInt32(truncatingIfNeeded: place >> 32), UInt32(truncatingIfNeeded: place))
        let isDone = device == .max
        let index = organisations.partitioningIndex { isDone ? $0 > org : $0 >= org }
        guard index < organisations.count else { return nil }
        return organisations[index] == org ? (org, device) : (organisations[index], 0)
    }
}
