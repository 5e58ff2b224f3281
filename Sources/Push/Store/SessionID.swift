/// One connection's session, unique over all nodes and restarts as far as a store can meet them: drawn at random.
public struct SessionID: Hashable, Sendable {
    /// 64 random bits.
    public let raw: UInt64
    /// A session with that number.
    public init(raw: UInt64) { self.raw = raw }
}
