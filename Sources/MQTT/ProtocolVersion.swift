/// A version of the protocol, as its level in CONNECT says it.
public enum ProtocolVersion: UInt8, Sendable, Hashable {
    /// MQTT 3.1.1 (OASIS, 29 October 2014).
    case v311 = 4
    /// MQTT 5.0 (OASIS, 7 March 2019).
    case v5 = 5
}

/// A side of a connection.
public enum Role: Sendable, Hashable {
    /// The side that accepted the connection.
    case server
    /// The side that opened the connection.
    case client
}
