import MQTT
import Testing

let packetCases = connectCases + connackCases + publishCases + acknowledgementCases + subscriptionCases + connectionCases

@Suite("Packets and their bytes")
struct RoundTripTests {
    @Test("bytes become the packet, however they arrive", arguments: packetCases)
    func decode(_ test: PacketCase) throws {
        try verify(bytes(test.encoded), is: test.packet, role: test.receiver, version: test.version)
        guard test.packet.type == .connect else { return }
        try verify(bytes(test.encoded), is: test.packet, role: test.receiver, version: nil)
    }

    @Test("the packet becomes the bytes, and says its size before", arguments: packetCases)
    func encode(_ test: PacketCase) {
        var output: [UInt8] = [0xAA]
        test.packet.encode(version: test.version, into: &output)
        #expect(notation(output) == notation([0xAA] + bytes(test.encoded)))
        #expect(test.packet.encodedSize(version: test.version) == output.count - 1)
    }

    @Test("every type of packet is here in every version that has it", arguments: [ProtocolVersion.v311, .v5])
    func complete(_ version: ProtocolVersion) {
        let types = Set(packetCases.filter { $0.version == version }.map(\.packet.type))
        #expect(types == Set(PacketType.allCases).subtracting(version == .v311 ? [.auth] : []))
    }

    @Test("a longer form than necessary is read as the same packet", arguments: longForms)
    func longForm(_ test: PacketCase) throws {
        try verify(bytes(test.encoded), is: test.packet, role: test.receiver, version: test.version)
    }

    @Test("3.1.1 tells every refusal by the nearest of its own codes")
    func refusalsIn311() {
        for code in ReasonCode.allCases {
            var connack: [UInt8] = []
            Packet.connack(Connack(reasonCode: code)).encode(version: .v311, into: &connack)
            let expected: UInt8 =
                switch code {
                case .success: 0
                case .unsupportedProtocolVersion: 1
                case .clientIdentifierNotValid: 2
                case .badUserNameOrPassword: 4
                case .notAuthorized, .banned, .badAuthenticationMethod: 5
                default: 3
                }
            #expect(connack == [0x20, 0x02, 0x00, expected], "\(code)")
        }
        var suback: [UInt8] = []
        Packet.suback(Suback(packetID: 1, reasonCodes: [.grantedQoS2, .notAuthorized])).encode(version: .v311, into: &suback)
        #expect(suback == bytes("90 04 0001 02 80"))
    }

    @Test("what 3.1.1 has no place for is not written")
    func leftOutIn311() {
        let properties = ReasonProperties(reasonString: "r")
        let cases: [(Packet, String)] = [
            (.puback(Acknowledgement(packetID: 1, reasonCode: .notAuthorized, properties: properties)), "40 02 0001"),
            (.unsuback(Unsuback(packetID: 1, reasonCodes: [.success], properties: properties)), "B0 02 0001"),
            (.disconnect(Disconnect(reasonCode: .disconnectWithWillMessage)), "E0 00"),
            (.connack(Connack(properties: with(Connack.Properties()) { $0.receiveMaximum = 1 })), "20 02 00 00"),
        ]
        for (packet, expected) in cases {
            var output: [UInt8] = []
            packet.encode(version: .v311, into: &output)
            #expect(notation(output) == notation(bytes(expected)))
        }
    }

    @Test("granted is told by the QoS")
    func granted() {
        #expect(ReasonCode.granted(.atMostOnce) == .grantedQoS0)
        #expect(ReasonCode.granted(.atLeastOnce) == .grantedQoS1)
        #expect(ReasonCode.granted(.exactlyOnce) == .grantedQoS2)
    }
}

/// What a peer may write, and this codec does not.
private let longForms: [PacketCase] = [
    PacketCase("PUBACK with success", to: .server, .v5, "40 03 0001 00", .puback(Acknowledgement(packetID: 1))),
    PacketCase("PUBACK with no properties", to: .server, .v5, "40 04 0001 00 00", .puback(Acknowledgement(packetID: 1))),
    PacketCase("DISCONNECT with its code", to: .server, .v5, "E0 01 00", .disconnect(Disconnect())),
    PacketCase("DISCONNECT with no properties", to: .server, .v5, "E0 02 00 00", .disconnect(Disconnect())),
    PacketCase("PINGREQ with a long length", to: .server, .v311, "C0 80 80 80 00", .pingreq),
    PacketCase(
        "PUBLISH with properties in another order", to: .server, .v5, "30 09 0001'a' 05 23 0001 01 01",
        .publish(
            Publish(
                topic: "a", payload: [],
                properties: with(Publish.Properties()) {
                    $0.payloadIsUTF8 = true
                    $0.topicAlias = 1
                }))),
]
