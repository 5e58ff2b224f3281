/// Which of a target's devices a row is for.
public struct Audience: Hashable, Sendable {
    /// Only test devices.
    public let testOnly: Bool
    /// iOS devices are left out: the payload breaks their limit.
    public let withoutIOS: Bool
    /// Only devices of that organisation and below: the scope of the app that pushes to a user.
    public let within: OrgHandle?

    /// Everybody in the target, unless said otherwise.
    public init(testOnly: Bool = false, withoutIOS: Bool = false, within: OrgHandle? = nil) {
        self.testOnly = testOnly
        self.withoutIOS = withoutIOS
        self.within = within
    }
}

/// What a row is to a device of its target.
public enum Standing: Hashable, Sendable {
    /// The row is not for it.
    case outside
    /// The row counts it and is not sent to it: the payload breaks its platform's limit (`skipped_oversize`).
    case leftOut
    /// It gets the row.
    case recipient
}

// Whom a row is for. Loops and stores decide it here and nowhere else: a device is in the row's target, and it has a standing in
// the row's audience. Both ask where the device belonged at the row's position. `isBelow` tells whether its first organisation
// was the second one or below it at that position; each caller has the tree in a form of its own.

extension RowTarget {
    /// Whether a device with that membership is in the target.
    @inlinable
    public func includes<E: Error>(
        _ device: DeviceHandle, _ membership: Membership, isBelow: (OrgHandle, OrgHandle) throws(E) -> Bool
    ) throws(E) -> Bool {
        switch self {
        case .device(let target): target == device
        case .user(let target): target == membership.user
        case .organisation(let target): try isBelow(membership.organisation, target)
        }
    }
}

extension Audience {
    /// What a row for this audience is to a device of its target.
    @inlinable
    public func standing<E: Error>(
        of membership: Membership, isBelow: (OrgHandle, OrgHandle) throws(E) -> Bool
    ) throws(E) -> Standing {
        if testOnly && !membership.test { return .outside }
        if let within, try !isBelow(membership.organisation, within) { return .outside }
        return leavesOut(membership.platform) ? .leftOut : .recipient
    }

    /// Whether devices of that platform are counted and get nothing.
    @inlinable
    public func leavesOut(_ platform: Platform) -> Bool { withoutIOS && platform == .ios }
}
