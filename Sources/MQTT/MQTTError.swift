/// Why bytes are no acceptable packet. After one the connection must be closed: nothing behind it can be decoded.
public enum MQTTError: Error, Equatable, Sendable {
    /// A packet breaks `rule`. `packet` is nil if its type is not known either. `version` is nil while no CONNECT has told it:
    /// then nothing can be answered. A 5.0 peer is told the rule's reason code, by CONNACK before it was accepted, by
    /// DISCONNECT after; a 3.1.1 peer is told nothing.
    case violation(Rule, packet: PacketType?, version: ProtocolVersion?)

    /// The first packet is no CONNECT, so its version cannot be known [MQTT-3.1.0-1]. Nothing can be answered.
    case packetBeforeConnect(PacketType)

    /// A CONNECT in a version that this codec does not speak. ``UnsupportedVersion/refusal`` is the answer.
    case unsupportedVersion(UnsupportedVersion)
}

extension MQTTError {
    /// The rule that was broken.
    public var rule: Rule {
        switch self {
        case .violation(let rule, _, _): rule
        case .packetBeforeConnect: .firstPacketIsConnect
        case .unsupportedVersion: .protocolLevel
        }
    }

    /// The reason code of 5.0 for the rule.
    public var reasonCode: ReasonCode { rule.reasonCode }
}

extension MQTTError: CustomStringConvertible {
    /// One line for a log: packet, rule, and what it says.
    public var description: String {
        let code = "0x" + String(reasonCode.rawValue, radix: 16)
        switch self {
        case .violation(let rule, let packet, let version):
            let name = packet.map { "\($0)".uppercased() } ?? "packet"
            return "\(name): \(rule.summary) [\(rule.statement(in: version))], \(code)"
        case .packetBeforeConnect(let packet):
            return "\(packet)".uppercased() + ": \(rule.summary) [\(rule.statement(in: nil))], \(code)"
        case .unsupportedVersion(let version):
            return
                "CONNECT: protocol \(version.protocolName) level \(version.level) is not supported "
                + "[\(rule.statement(in: nil))], \(code)"
        }
    }
}

/// A version that a CONNECT asked for in vain.
public struct UnsupportedVersion: Equatable, Sendable {
    /// "MQTT", or "MQIsdp" of MQTT 3.1.
    public var protocolName: String
    /// The level: 3 for MQTT 3.1.
    public var level: UInt8

    /// Describes the version.
    public init(protocolName: String, level: UInt8) {
        self.protocolName = protocolName
        self.level = level
    }

    /// The CONNACK that says so, in the nearest form that the peer may understand: return code 0x01 of 3.1.1 for what is older
    /// (3.1.1 [MQTT-3.1.2-2]; MQTT 3.1 has the same CONNACK), reason code 0x84 of 5.0 for what is newer (5.0 [MQTT-3.1.2-2]).
    public var refusal: [UInt8] {
        let version: ProtocolVersion = protocolName == "MQTT" && level > ProtocolVersion.v5.rawValue ? .v5 : .v311
        var bytes: [UInt8] = []
        Packet.connack(Connack(reasonCode: .unsupportedProtocolVersion)).encode(version: version, into: &bytes)
        return bytes
    }
}
