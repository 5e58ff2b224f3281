/// One of the nodes that share a store, as the store knows it. Where a store has one node only, that is it.
public struct NodeReport: Hashable, Sendable {
    /// What it is called.
    public var name: String
    /// The version of its program.
    public var version: String
    /// Whether it is the one that tells.
    public var isOwn: Bool
    /// When its process joined, by the wall clock, Unix milliseconds.
    public var startedAt: Int64
    /// How long its lease holds still, in milliseconds; below zero: it has lapsed so long ago. `nil`: it never lapses.
    public var lease: Int64?
    /// How many positions of the log it had still to apply when it renewed its lease last.
    public var lag: Int64
    /// How many devices were connected to it then.
    public var sessions: Int64
    /// Whether it has told that it is about to end.
    public var isDraining: Bool

    /// As of one moment.
    public init(
        name: String, version: String, isOwn: Bool, startedAt: Int64, lease: Int64?, lag: Int64, sessions: Int64,
        isDraining: Bool = false
    ) {
        self.name = name
        self.version = version
        self.isOwn = isOwn
        self.startedAt = startedAt
        self.lease = lease
        self.lag = lag
        self.sessions = sessions
        self.isDraining = isDraining
    }

    /// Whether its lease holds: it may deliver, and who waits for all nodes waits for it.
    public var isLiving: Bool { lease.map { $0 > 0 } ?? true }
}
