/// Where a device's messages are ordered. The embedded store has one lane; one shared by several nodes has a fixed number,
/// chosen by hash of the token.
public struct Lane: Hashable, Sendable {
    /// From 0.
    public let index: UInt16
    package init(index: UInt16) { self.index = index }
}

/// A place in one lane's order. Only the store makes one; comparing is meaningful within a lane only.
public struct Position: Hashable, Comparable, Sendable {
    package let raw: UInt64
    package init(raw: UInt64) { self.raw = raw }
    /// Earlier in the lane's order.
    public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    /// Before everything.
    public static let start = Position(raw: 0)
}

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

/// One connection's session, unique over all nodes and restarts as far as a store can meet them: drawn at random.
public struct SessionID: Hashable, Sendable {
    /// 64 random bits.
    public let raw: UInt64
    /// A session with that number.
    public init(raw: UInt64) { self.raw = raw }
}
