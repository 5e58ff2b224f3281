import MQTT
import Testing

@Suite("A frame for many receivers")
struct PublishFrameTests {
    static let sizes = [0, 1, 118, 119, 120, 121, 122, 220, 16_372, 16_373, 16_374, 16_375, 16_376, 70_000]

    @Test("it is the PUBLISH at QoS 1, whatever its size", arguments: [ProtocolVersion.v311, .v5], sizes)
    func isPublish(_ version: ProtocolVersion, _ size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let frame = PublishFrame(topic: "a/b", payload: payload, version: version)
        #expect(frame.bytes.count == frame.count)

        for packetID: UInt16 in [1, 0x1234, 0xFFFF] {
            var expected: [UInt8] = []
            Packet.publish(Publish(topic: "a/b", payload: payload, qos: .atLeastOnce, packetID: packetID))
                .encode(version: version, into: &expected)

            var appended: [UInt8] = [0xAA]
            frame.append(packetID: packetID, to: &appended)
            #expect(appended == [0xAA] + expected)

            var written = [UInt8](repeating: 0xAA, count: frame.count + 1)
            written.withUnsafeMutableBytes { frame.write(packetID: packetID, into: $0) }
            #expect(written == expected + [0xAA])

            var patched = frame.bytes
            patched[frame.packetIDOffset] = UInt8(packetID >> 8)
            patched[frame.packetIDOffset + 1] = UInt8(packetID & 0xFF)
            #expect(patched == expected)
        }
    }

    @Test("it may have properties in 5.0, which 3.1.1 leaves out")
    func properties() throws {
        var properties = Publish.Properties()
        properties.messageExpiryInterval = 60
        for version in [ProtocolVersion.v311, .v5] {
            var bytes: [UInt8] = []
            PublishFrame(topic: "t", payload: [1], version: version, properties: properties).append(packetID: 7, to: &bytes)
            var decoder = PacketDecoder(role: .client, version: version)
            var consumed = 0
            let packet = try #require(try decoder.decode(bytes.span.bytes, consumed: &consumed))
            let expected = Publish(
                topic: "t", payload: [1], qos: .atLeastOnce, packetID: 7, properties: version == .v5 ? properties : .init())
            #expect(packet == .publish(expected))
        }
    }
}
