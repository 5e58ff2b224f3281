/// How this process stands to the store that it shares with others, and what it has met since it was opened.
public struct NodeStanding: Hashable, Sendable {
    /// How long its lease holds still, in milliseconds; 0: it has lapsed, or it has not joined.
    public var lease: Int64 = 0
    /// How many positions of the log it has still to apply, as far as it knows.
    public var lag: Int64 = 0
    /// How often its lease has lapsed, since it was not renewed in time; one that has lapsed now counts.
    public var lapses = 0
    /// Calls that were sent and of which nobody knows whether they were carried out.
    public var unknownCalls = 0
    /// How often its sessions with the database were lost.
    public var losses = 0
    /// How often another server has become the primary.
    public var switches = 0
    /// Whether the database's functions are those of another build than this program's, though of the same version.
    public var hasForeignFunctions = false
    /// The database's server by which the lease was renewed last, as it is named to clients.
    public var primary: String?
    /// Whether commits wait for no standby: what was answered as stored is on the primary alone. `nil`: nobody has looked yet.
    public var hasNoStandby: Bool?

    /// Nothing yet.
    public init() {}
}
