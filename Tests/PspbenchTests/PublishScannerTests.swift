import MQTT
import Testing

@testable import pspbench

@Suite("Walking a device's input")
struct PublishScannerTests {
    private func seen(_ bytes: [UInt8]) -> (items: [String], consumed: Int) {
        bytes.withUnsafeBytes { buffer in
            var scanner = PublishScanner(buffer)
            var items: [String] = []
            while let item = scanner.next() {
                switch item {
                case .publish(let packet, let identifier):
                    items.append("publish \(packet.count) \(identifier.map { String(UInt16(bigEndian: $0)) } ?? "-")")
                case .other(let packet): items.append("other \(packet.count)")
                case .malformed: return (items + ["malformed"], scanner.offset)
                }
            }
            return (items, scanner.offset)
        }
    }

    private func encoded(_ packets: [Packet], _ version: ProtocolVersion = .v311) -> [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets { packet.encode(version: version, into: &bytes) }
        return bytes
    }

    @Test("messages of both qualities and other packets are told apart", arguments: [ProtocolVersion.v311, .v5])
    func whole(version: ProtocolVersion) {
        let once = Packet.publish(
            Publish(topic: "a/b", payload: Array(repeating: 1, count: 200), qos: .atLeastOnce, packetID: 0x1234))
        let fire = Packet.publish(Publish(topic: "a/b", payload: [1]))
        let bytes = encoded([once, .pingresp, fire], version)
        #expect(
            seen(bytes).items == [
                "publish \(once.encodedSize(version: version)) \(0x1234)", "other 2",
                "publish \(fire.encodedSize(version: version)) -",
            ])
        #expect(seen(bytes).consumed == bytes.count)
    }

    @Test("what has not all arrived is left, wherever it is cut")
    func cut() {
        let packet = Packet.publish(Publish(topic: "t", payload: Array(repeating: 1, count: 300), qos: .atLeastOnce, packetID: 7))
        let bytes = encoded([packet])
        for length in 0..<bytes.count {
            let found = seen(Array(bytes[..<length]))
            #expect(found.items.isEmpty && found.consumed == 0, "cut to \(length) bytes")
        }
    }

    @Test(
        "a length of five bytes and a topic longer than its packet are malformed",
        arguments: [
            [0x30, 0xff, 0xff, 0xff, 0xff, 0x01], [0x32, 0x03, 0x00, 0x09, 0x61],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) { #expect(seen(bytes).items == ["malformed"]) }
}
