public import Base
public import Libevent
public import Push

/// What an operator can set of the devices' side, and what tests make small.
public struct GatewayConfiguration: Sendable {
    /// Unacknowledged messages that a device may have (`--window`), 1 to 65,535.
    public var window: Int
    /// After so long without PUBACK a message has its connection closed, so that it comes again (`--ack-timeout`).
    public var acknowledgementTimeout: Duration
    /// How long a connection may take to send its CONNECT.
    public var connectTimeout: Duration
    /// The largest packet that a device may send, in bytes with its fixed header; announced to 5.0 clients.
    public var maximumPacketSize: Int
    /// Receipts at QoS 1 and 2 that a device may have unanswered; announced to 5.0 clients as Receive Maximum.
    public var receiveMaximum: Int
    /// Memory of the ring of recent rows, in bytes.
    public var ringBytes: Int
    /// Pages of the log that a loop asks for at the same time: what a storm of reconnects may cost in memory.
    public var concurrentReads: Int
    /// The proxies that say by the PROXY protocol whose each of their connections is (`--proxy-protocol-from`).
    public var proxies: [AddressRange] = []
    /// How many connections may come, and from where; `nil`: any.
    public var admission: ConnectionAdmission?
    /// Whose log-ins are not judged, since they have failed too often.
    public var logins = LoginGuard(LoginGuard.Limits())
    /// Which devices connect again and again.
    public var flapping = FlappingDevices(limit: nil)
    /// How many receipts a device may send in a minute.
    public var receipts = ReceiptAllowance(perMinute: nil)
    /// What the process has for connections, shared with other listeners; `nil`: more than will ever be needed.
    public var budget: ConnectionBudget?
    /// A groupcast for so few sessions of a loop is offered to them at once; one for more goes in slices.
    var directSessions = 128

    /// The defaults of the interface.
    public init(
        window: Int = 20, acknowledgementTimeout: Duration = .seconds(300), connectTimeout: Duration = .seconds(10),
        maximumPacketSize: Int = 16 * 1024, receiveMaximum: Int = 64, ringBytes: Int = 8 * 1024 * 1024, concurrentReads: Int = 256
    ) {
        precondition(1...65_535 ~= window, "a window holds 1 to 65,535 messages")
        precondition(1...65_535 ~= receiveMaximum, "a receive maximum is 1 to 65,535")
        self.window = window
        self.acknowledgementTimeout = acknowledgementTimeout
        self.connectTimeout = connectTimeout
        self.maximumPacketSize = maximumPacketSize
        self.receiveMaximum = receiveMaximum
        self.ringBytes = ringBytes
        self.concurrentReads = concurrentReads
    }
}
