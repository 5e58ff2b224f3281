/// Why a CONNECT is refused, as it is counted. The log says more; a peer is told less.
public enum ConnectRefusalReason: String, Hashable, Sendable, CaseIterable {
    /// A version of MQTT that is not spoken here, or another protocol.
    case version
    /// The packet breaks a rule of MQTT.
    case malformed
    /// A method of authentication is asked for.
    case authenticationMethod = "authentication_method"
    /// No user name that could be a device token, or no password.
    case credentials
    /// The client's certificate has expired, or is not made out to the device.
    case certificate
    /// No such device.
    case unknownDevice = "unknown_device"
    /// Another secret.
    case wrongSecret = "wrong_secret"
    /// An older session is wanted, by a client that does not say who it is.
    case clientIdentifier = "client_identifier"
    /// A later connection of the same device came first.
    case takenOver = "taken_over"
    /// The device was deleted, given to another holder, or its secret changed, while the store decided.
    case withdrawn
    /// An operator wants the device disconnected.
    case requested
    /// As many connections as there may be.
    case noRoom = "no_room"
    /// Log-ins from there have failed too often.
    case failedLogins = "failed_logins"
    /// The store cannot be asked.
    case unavailable
    /// The server ends.
    case ending
}

/// How many CONNECTs were refused, by reason.
public struct ConnectRefusals: Hashable, Sendable {
    private var counts = [UInt64](repeating: 0, count: ConnectRefusalReason.allCases.count)

    /// None.
    public init() {}

    /// For that reason.
    public subscript(reason: ConnectRefusalReason) -> UInt64 { counts[Self.index(of: reason)] }

    /// For whatever reason.
    public var total: UInt64 { counts.reduce(0, +) }

    /// One more.
    public mutating func count(_ reason: ConnectRefusalReason) { counts[Self.index(of: reason)] += 1 }

    /// Adds another loop's.
    public static func += (sum: inout ConnectRefusals, other: ConnectRefusals) {
        for index in sum.counts.indices { sum.counts[index] += other.counts[index] }
    }

    private static func index(of reason: ConnectRefusalReason) -> Int {
        ConnectRefusalReason.allCases.firstIndex(of: reason) ?? 0
    }
}
