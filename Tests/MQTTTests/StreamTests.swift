import MQTT
import Testing

@Suite("A stream of packets")
struct StreamTests {
    @Test("a server learns the version from CONNECT", arguments: [("04", ProtocolVersion.v311), ("05", .v5)])
    func version(_ level: String, _ expected: ProtocolVersion) throws {
        var decoder = PacketDecoder(role: .server)
        #expect(decoder.version == nil)
        let isV5 = expected == .v5
        let connect = bytes("10 \(isV5 ? "0D" : "0C") 0004'MQTT' \(level) 02 0000 \(isV5 ? "00" : "") 0000")
        var consumed = 0
        let packet = try decoder.decode(connect.span.bytes, consumed: &consumed)
        #expect(packet == .connect(Connect(version: expected, clientIdentifier: "")))
        #expect(decoder.version == expected)
    }

    @Test(
        "a version that is not spoken is told with the answer to it",
        arguments: [
            ("10 0E 0006'MQIsdp' 03 02 0000 0000", "MQIsdp", UInt8(3), "20 02 00 01"),
            ("10 0E 0006'MQIsdp' 04 02 0000 0000", "MQIsdp", 4, "20 02 00 01"),
            ("10 0E 0006'MQIsdp' 83 02 0000 0000", "MQIsdp", 0x83, "20 02 00 01"),
            ("10 0C 0004'MQTT' 00 02 0000 0000", "MQTT", 0, "20 02 00 01"),
            ("10 0C 0004'MQTT' 03 02 0000 0000", "MQTT", 3, "20 02 00 01"),
            ("10 0C 0004'MQTT' 06 02 0000 0000", "MQTT", 6, "20 03 00 84 00"),
            ("10 07 0004'MQTT' 06", "MQTT", 6, "20 03 00 84 00"),
            ("10 0C 0004'MQTT' FF FF FFFF FFFF", "MQTT", 255, "20 03 00 84 00"),
        ])
    func unsupported(_ encoded: String, _ name: String, _ level: UInt8, _ answer: String) {
        let version = UnsupportedVersion(protocolName: name, level: level)
        verify(bytes(encoded), breaks: .unsupportedVersion(version), role: .server, version: nil)
        #expect(version.refusal == bytes(answer))
        #expect(MQTTError.unsupportedVersion(version).reasonCode == .unsupportedProtocolVersion)
    }

    @Test("anything before CONNECT is refused by its first byte", arguments: PacketType.allCases.filter { $0 != .connect })
    func beforeConnect(_ type: PacketType) {
        let flags: UInt8 = [.pubrel, .subscribe, .unsubscribe].contains(type) ? 2 : 0
        verify([type.rawValue << 4 | flags], breaks: .packetBeforeConnect(type), role: .server, version: nil)
        #expect(MQTTError.packetBeforeConnect(type).rule.statement(in: nil) == "MQTT-3.1.0-1")
        #expect(MQTTError.packetBeforeConnect(type).reasonCode == .protocolError)
    }

    @Test("CONNECT and what follows may come in one read")
    func pipelined() throws {
        var decoder = PacketDecoder(role: .server)
        let stream = bytes("10 0D 0004'MQTT' 05 02 0000 00 0000") + bytes("40 02 0007") + bytes("C0 00 E0")
        let (packets, rest) = try decode(stream, inChunksOf: stream.count, with: &decoder)
        #expect(
            packets == [
                .connect(Connect(version: .v5, clientIdentifier: "")), .puback(Acknowledgement(packetID: 7)), .pingreq,
            ])
        #expect(rest == [0xE0])
    }

    @Test(
        "a PUBACK is taken without a packet in between, in any form",
        arguments: [
            ("40 02 1234", ReasonCode.success), ("40 03 1234 10", .noMatchingSubscribers), ("40 04 1234 97 00", .quotaExceeded),
            ("40 08 1234 00 04 1F 0001'a'", .success),
        ])
    func puback(_ encoded: String, _ reasonCode: ReasonCode) throws {
        let decoder = PacketDecoder(role: .server, version: .v5)
        let whole = bytes(encoded)
        var consumed = 0
        let puback = try (whole + [0xC0]).withUnsafeBytes { try decoder.decodePuback($0, consumed: &consumed) }
        #expect(puback?.packetID == 0x1234)
        #expect(puback?.reasonCode == reasonCode)
        #expect(consumed == whole.count)
        for count in 0..<whole.count {
            consumed = 0
            #expect(try whole[..<count].withUnsafeBytes { try decoder.decodePuback($0, consumed: &consumed) } == nil)
            #expect(consumed == 0)
        }
    }

    @Test("what is no PUBACK is left alone, and a malformed one is refused as by the decoder")
    func noPuback() throws {
        var decoder = PacketDecoder(role: .server, version: .v5)
        var consumed = 0
        #expect(try bytes("C0 00 40 02 0001").withUnsafeBytes { try decoder.decodePuback($0, consumed: &consumed) } == nil)
        for encoded in ["40 02 0000", "40 03 0001 05", "40 01 0001 00", "40 05 0001 00 00 00"] {
            let malformed = bytes(encoded)
            let error = try #require(throws: MQTTError.self) {
                try malformed.withUnsafeBytes { try decoder.decodePuback($0, consumed: &consumed) }
            }
            #expect(throws: error) { try decoder.decode(malformed.span.bytes, consumed: &consumed) }
        }
        #expect(consumed == 0)
        let fresh = PacketDecoder(role: .server)
        #expect(throws: MQTTError.packetBeforeConnect(.puback)) {
            try bytes("40 02 0001").withUnsafeBytes { try fresh.decodePuback($0, consumed: &consumed) }
        }
    }

    @Test("a packet above the maximum is refused before its body is here")
    func tooLarge() throws {
        // 2 bytes of header and 126 behind them are 128.
        let header = bytes("30 7E")
        var decoder = PacketDecoder(role: .server, version: .v5, maximumPacketSize: 127)
        var consumed = 0
        let error = #expect(throws: MQTTError.self) { try decoder.decode(header.span.bytes, consumed: &consumed) }
        #expect(error == .violation(.maximumPacketSize, packet: .publish, version: .v5))
        #expect(error?.reasonCode == .packetTooLarge)
        #expect(error?.rule.statement(in: .v5) == "MQTT-3.2.2-15")

        decoder.maximumPacketSize = 128
        #expect(try decoder.decode(header.span.bytes, consumed: &consumed) == nil)
    }

    @Test("the first CONNECT is held to the maximum too")
    func connectTooLarge() {
        var decoder = PacketDecoder(role: .server, maximumPacketSize: 16_384)
        var consumed = 0
        let header = bytes("10 FF FF FF 7F")
        let error = #expect(throws: MQTTError.self) { try decoder.decode(header.span.bytes, consumed: &consumed) }
        #expect(error == .violation(.maximumPacketSize, packet: .connect, version: nil))
    }

    @Test("the size of a packet is told by its first bytes")
    func packetSize() throws {
        let decoder = PacketDecoder(role: .server, version: .v311)
        for (encoded, expected) in [
            ("", nil), ("30", nil), ("30 C8", nil), ("30 C8 01", 203), ("30 00", 2), ("40 02 0001 C0 00", 4),
        ] {
            let size = try bytes(encoded).withUnsafeBytes { try decoder.packetSize(in: $0) }
            #expect(size == expected, "\(encoded)")
        }
        let second = try bytes("40 02 0001 C0 00").withUnsafeBytes { try decoder.packetSize(in: $0, at: 4) }
        #expect(second == 2)
    }

    @Test("by default the largest packet of the format is taken")
    func largest() throws {
        let decoder = PacketDecoder(role: .client, version: .v311)
        let size = try bytes("30 FF FF FF 7F").withUnsafeBytes { try decoder.packetSize(in: $0) }
        #expect(size == 268_435_460)
        #expect(size == PacketDecoder.largestPacketSize)
    }
}
