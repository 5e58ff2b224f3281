import MQTT
import Testing

/// A packet and its bytes in the form that this codec writes.
struct PacketCase: Sendable, CustomTestStringConvertible {
    let name: String
    let receiver: Role
    let version: ProtocolVersion
    let encoded: String
    let packet: Packet

    init(_ name: String, to receiver: Role, _ version: ProtocolVersion, _ encoded: String, _ packet: Packet) {
        self.name = name
        self.receiver = receiver
        self.version = version
        self.encoded = encoded
        self.packet = packet
    }

    var testDescription: String { "\(name), \(version)" }
}

/// Sets some fields of properties, in one expression.
func with<Value>(_ value: Value, _ change: (inout Value) -> Void) -> Value {
    var value = value
    change(&value)
    return value
}

func filter(_ text: String, _ version: ProtocolVersion = .v5) -> TopicFilter {
    guard let filter = TopicFilter(text, version: version) else { preconditionFailure("no filter: \(text)") }
    return filter
}
