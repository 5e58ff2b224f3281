/// The type of a control packet: bits 7 to 4 of its first byte (MQTT 5.0 §2.1.2).
public enum PacketType: UInt8, Sendable, Hashable, CaseIterable {
    /// A client asks for a connection.
    case connect = 1
    /// The answer to CONNECT.
    case connack = 2
    /// A message.
    case publish = 3
    /// The answer to a PUBLISH at QoS 1.
    case puback = 4
    /// The first answer to a PUBLISH at QoS 2.
    case pubrec = 5
    /// The answer to PUBREC.
    case pubrel = 6
    /// The answer to PUBREL.
    case pubcomp = 7
    /// A client asks for subscriptions.
    case subscribe = 8
    /// The answer to SUBSCRIBE.
    case suback = 9
    /// A client gives subscriptions up.
    case unsubscribe = 10
    /// The answer to UNSUBSCRIBE.
    case unsuback = 11
    /// A client shows that it lives.
    case pingreq = 12
    /// The answer to PINGREQ.
    case pingresp = 13
    /// The last packet of a connection.
    case disconnect = 14
    /// A step of an extended authentication; 5.0 only.
    case auth = 15
}

extension PacketType {
    /// Bits 3 to 0 of the first byte, which are fixed for every type but PUBLISH (MQTT 5.0 §2.1.3).
    var reservedFlags: UInt8 {
        switch self {
        case .pubrel, .subscribe, .unsubscribe: 0b0010
        default: 0
        }
    }

    /// Whether the standard knows this type in `version`.
    func exists(in version: ProtocolVersion) -> Bool { self != .auth || version == .v5 }

    /// Whether `receiver` may be sent this type in `version` (MQTT 5.0 table 2-1; 3.1.1 table 2.1).
    func mayBeSent(to receiver: Role, in version: ProtocolVersion) -> Bool {
        switch self {
        case .connect, .subscribe, .unsubscribe, .pingreq: receiver == .server
        case .connack, .suback, .unsuback, .pingresp: receiver == .client
        case .publish, .puback, .pubrec, .pubrel, .pubcomp, .auth: true
        case .disconnect: receiver == .server || version == .v5
        }
    }
}
