/// What one loop has counted of its devices since it began, and what it holds now. Summed over the loops when somebody asks: each
/// loop counts for itself, without a lock.
public struct DeviceCounters: Hashable, Sendable {
    /// Open sockets, those without a session included.
    public var connections: UInt64 = 0
    /// Sessions that are open.
    public var sessions: UInt64 = 0
    /// Sessions whose window was found full.
    public var windowsFull: UInt64 = 0
    /// Sessions that wait for a page of the log.
    public var awaitingPages: UInt64 = 0
    /// CONNECTs that were accepted.
    public var accepted: UInt64 = 0
    /// CONNECTs that were refused.
    public var refused = ConnectRefusals()
    /// PUBLISH packets handed to a connection; a redelivery counts again.
    public var published: UInt64 = 0
    /// PUBACKs that acknowledged a message.
    public var acknowledged: UInt64 = 0
    /// PUBACKs by which a device rejected a message.
    public var rejected: UInt64 = 0
    /// PUBLISH packets whose session ended before their PUBACK: their messages come again.
    public var abandoned: UInt64 = 0
    /// PUBACKs that were not taken, since the store had as many to write as it can remember.
    public var untaken: UInt64 = 0
    /// Messages not sent because they exceed the device's Maximum Packet Size.
    public var skipped: UInt64 = 0
    /// Receipts that were well-formed and handed to the store.
    public var receipts: UInt64 = 0
    /// Connections of devices that were slowed, since they connect again and again.
    public var slowed: UInt64 = 0
    /// Times that a device has sent more receipts in a minute than it may.
    public var postponements: UInt64 = 0
    /// Connections closed because no CONNECT came in time.
    public var connectTimeouts: UInt64 = 0
    /// Connections closed for what the device did: malformed packets, protocol errors, a keep-alive that ran out.
    public var protocolErrors: UInt64 = 0
    /// Connections closed because a message stayed unacknowledged for too long.
    public var overdue: UInt64 = 0
    /// Pages of the log that were asked for.
    public var pages: UInt64 = 0

    /// All zero.
    public init() {}

    /// PUBLISH packets of open sessions without PUBACK. Every one of them ends in one of three ways.
    public var unacknowledged: UInt64 { published &- acknowledged &- rejected &- abandoned }

    /// Adds another loop's.
    public static func += (sum: inout DeviceCounters, other: DeviceCounters) {
        sum.connections += other.connections
        sum.sessions += other.sessions
        sum.windowsFull += other.windowsFull
        sum.awaitingPages += other.awaitingPages
        sum.accepted += other.accepted
        sum.refused += other.refused
        sum.published += other.published
        sum.acknowledged += other.acknowledged
        sum.rejected += other.rejected
        sum.abandoned += other.abandoned
        sum.untaken += other.untaken
        sum.skipped += other.skipped
        sum.receipts += other.receipts
        sum.postponements += other.postponements
        sum.slowed += other.slowed
        sum.connectTimeouts += other.connectTimeouts
        sum.protocolErrors += other.protocolErrors
        sum.overdue += other.overdue
        sum.pages += other.pages
    }
}
