/// One holder's device: dense within its lane, never used again after a change of holder.
public struct DeviceHandle: Hashable, Sendable {
    /// Where its messages are ordered.
    public let lane: Lane
    /// From 1; dense within the lane.
    public let ordinal: UInt32
    package init(lane: Lane, ordinal: UInt32) {
        self.lane = lane
        self.ordinal = ordinal
    }
}

/// An organisation as loops and rows name it: small, never used again after the organisation was deleted.
public struct OrgHandle: Hashable, Sendable {
    /// Dense and small: an index for bit sets.
    public let index: UInt32
    package init(index: UInt32) { self.index = index }
}

/// A user as loops and rows name it.
public struct UserHandle: Hashable, Sendable {
    package let raw: UInt64
    package init(raw: UInt64) { self.raw = raw }
}
