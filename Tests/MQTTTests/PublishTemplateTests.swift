import MQTT
import Testing

@Suite("A template for many messages")
struct PublishTemplateTests {
    @Test("it makes the PUBLISH at QoS 1, whatever its size", arguments: [ProtocolVersion.v311, .v5], PublishFrameTests.sizes)
    func isPublish(_ version: ProtocolVersion, _ size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let template = PublishTemplate(topic: "a/b", version: version)
        for packetID: UInt16 in [1, 0x1234, 0xFFFF] {
            var expected: [UInt8] = []
            Packet.publish(Publish(topic: "a/b", payload: payload, qos: .atLeastOnce, packetID: packetID))
                .encode(version: version, into: &expected)
            var appended: [UInt8] = [0xAA]
            template.append(payload, packetID: packetID, to: &appended)
            #expect(appended == [0xAA] + expected)
            #expect(template.size(of: payload) == expected.count)
        }
    }
}
