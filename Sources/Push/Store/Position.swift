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
