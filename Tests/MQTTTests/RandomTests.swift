import Base
import MQTT
import Testing

/// What a stream decodes to: the packets, how many bytes they were, and the error that ended it.
private struct Outcome: Equatable {
    var packets: [Packet] = []
    var consumed = 0
    var error: MQTTError?
}

private func outcome(of stream: [UInt8], inChunksOf size: Int, _ fresh: PacketDecoder) -> Outcome {
    var decoder = fresh
    var outcome = Outcome()
    var end = 0
    while end < stream.count, outcome.error == nil {
        end = min(end + size, stream.count)
        let arrived = Array(stream[..<end])
        do {
            while let packet = try decoder.decode(arrived.span.bytes, consumed: &outcome.consumed) {
                outcome.packets.append(packet)
            }
        } catch {
            outcome.error = error
        }
    }
    return outcome
}

private let decoders = [
    PacketDecoder(role: .server), PacketDecoder(role: .server, version: .v311), PacketDecoder(role: .server, version: .v5),
    PacketDecoder(role: .client, version: .v311), PacketDecoder(role: .client, version: .v5),
]

@Suite("Bytes from anywhere")
struct RandomTests {
    @Test("random bytes never trap, and mean the same however they arrive", arguments: 0..<5)
    func noise(_ index: Int) {
        var generator = SplitMix(seed: UInt64(index) + 1)
        for _ in 0..<4_000 {
            var stream = (0..<Int.random(in: 1...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // A short length, or hardly any packet would be complete.
            if stream.count > 2 { stream[1] = UInt8(stream.count - 2) }
            let whole = outcome(of: stream, inChunksOf: stream.count, decoders[index])
            for size in [1, 5] { #expect(outcome(of: stream, inChunksOf: size, decoders[index]) == whole, "\(notation(stream))") }
        }
    }

    @Test("damaged packets never trap, and what is still a packet says the same again", arguments: packetCases)
    func damaged(_ test: PacketCase) throws {
        var generator = SplitMix(seed: UInt64(test.encoded.utf8.count))
        let good = bytes(test.encoded)
        let fresh = PacketDecoder(role: test.receiver, version: test.version)
        for _ in 0..<400 {
            var stream = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                stream[Int.random(in: 0..<stream.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            stream += good
            let whole = outcome(of: stream, inChunksOf: stream.count, fresh)
            #expect(outcome(of: stream, inChunksOf: 1, fresh) == whole, "\(notation(stream))")
            for packet in whole.packets { try expectStable(packet, fresh, test.version) }
        }
    }

    /// Encoding a decoded packet and decoding that gives the packet again.
    private func expectStable(_ packet: Packet, _ fresh: PacketDecoder, _ version: ProtocolVersion) throws {
        var encoded: [UInt8] = []
        packet.encode(version: version, into: &encoded)
        #expect(encoded.count == packet.encodedSize(version: version))
        var decoder = fresh
        var consumed = 0
        #expect(try decoder.decode(encoded.span.bytes, consumed: &consumed) == packet)
        #expect(consumed == encoded.count)
    }
}
