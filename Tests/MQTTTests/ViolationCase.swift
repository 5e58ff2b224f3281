import MQTT
import Testing

/// Bytes that break a rule.
struct ViolationCase: Sendable, CustomTestStringConvertible {
    let name: String
    let receiver: Role
    let version: ProtocolVersion?
    let encoded: String
    let error: MQTTError
    let statement: String
    let reasonCode: ReasonCode

    /// `version` is what the decoder knows; `told` what the error says, where a CONNECT has told it meanwhile.
    init(
        _ name: String, to receiver: Role = .server, _ version: ProtocolVersion?, told: ProtocolVersion? = nil, _ encoded: String,
        _ packet: PacketType?, _ rule: Rule, _ statement: String, _ reasonCode: ReasonCode = .malformedPacket
    ) {
        self.name = name
        self.receiver = receiver
        self.version = version
        self.encoded = encoded
        self.error = .violation(rule, packet: packet, version: version ?? told)
        self.statement = statement
        self.reasonCode = reasonCode
    }

    var testDescription: String { "\(name), \(version.map { "\($0)" } ?? "before CONNECT")" }
}
