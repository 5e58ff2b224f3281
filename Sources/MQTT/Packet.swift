/// A control packet. The set is closed (MQTT 5.0 §2.1.2).
///
/// The two large ones are boxed, so that what comes often (PUBLISH, PUBACK) stays small.
public enum Packet: Equatable, Sendable {
    /// A client asks for a connection.
    indirect case connect(Connect)
    /// The answer to CONNECT.
    indirect case connack(Connack)
    /// A message.
    case publish(Publish)
    /// The answer to a PUBLISH at QoS 1.
    case puback(Acknowledgement)
    /// The first answer to a PUBLISH at QoS 2.
    case pubrec(Acknowledgement)
    /// The answer to PUBREC.
    case pubrel(Acknowledgement)
    /// The answer to PUBREL.
    case pubcomp(Acknowledgement)
    /// A client asks for subscriptions.
    case subscribe(Subscribe)
    /// The answer to SUBSCRIBE.
    case suback(Suback)
    /// A client gives subscriptions up.
    case unsubscribe(Unsubscribe)
    /// The answer to UNSUBSCRIBE.
    case unsuback(Unsuback)
    /// A client shows that it lives.
    case pingreq
    /// The answer to PINGREQ.
    case pingresp
    /// The last packet of a connection.
    case disconnect(Disconnect)
    /// A step of an extended authentication; 5.0 only.
    case auth(Auth)

    /// The packet's type.
    public var type: PacketType {
        switch self {
        case .connect: .connect
        case .connack: .connack
        case .publish: .publish
        case .puback: .puback
        case .pubrec: .pubrec
        case .pubrel: .pubrel
        case .pubcomp: .pubcomp
        case .subscribe: .subscribe
        case .suback: .suback
        case .unsubscribe: .unsubscribe
        case .unsuback: .unsuback
        case .pingreq: .pingreq
        case .pingresp: .pingresp
        case .disconnect: .disconnect
        case .auth: .auth
        }
    }
}
