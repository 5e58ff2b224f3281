import MQTT

/// A stream of packets, to a server or to a client of either version.
enum MQTTTarget {
    private struct Result: Equatable {
        var packets: [Packet] = []
        var error: MQTTError?
        var consumed = 0
    }

    static func attempt(_ input: Input) -> CInt {
        let decoder =
            switch input.pieces.first.map({ $0 % 3 }) ?? 0 {
            case 0: PacketDecoder(role: .server, maximumPacketSize: 16_384)
            case 1: PacketDecoder(role: .client, version: .v311)
            default: PacketDecoder(role: .client, version: .v5)
            }
        var (whole, cut) = (decoder, decoder)
        let expected = decode(input.bytes, to: input.bytes.count, with: &whole)
        var seen = Result()
        input.forEachEnd { end in
            guard seen.error == nil else { return }
            let more = decode(input.bytes, from: seen.consumed, to: end, with: &cut)
            seen = Result(packets: seen.packets + more.packets, error: more.error, consumed: more.consumed)
        }
        require(seen == expected, "in pieces \(seen), whole \(expected)")
        if let version = whole.version { roundTrip(expected.packets, version, decoder) }
        return 0
    }

    private static func decode(
        _ bytes: [UInt8], from start: Int = 0, to end: Int, with decoder: inout PacketDecoder
    ) -> Result {
        var result = Result(consumed: start)
        bytes.prefix(end).withUnsafeBytes { buffer in
            do throws(MQTTError) {
                while let packet = try decoder.decode(buffer, consumed: &result.consumed) { result.packets.append(packet) }
            } catch {
                result.error = error
            }
        }
        return result
    }

    /// What was decoded is encoded to what decodes to the same.
    private static func roundTrip(_ packets: [Packet], _ version: ProtocolVersion, _ decoder: PacketDecoder) {
        var decoder = decoder
        var bytes: [UInt8] = []
        for packet in packets {
            let start = bytes.count
            packet.encode(version: version, into: &bytes)
            require(bytes.count - start == packet.encodedSize(version: version), "another size than announced: \(packet)")
        }
        let again = decode(bytes, to: bytes.count, with: &decoder)
        require(again.packets == packets && again.error == nil, "\(packets) came back as \(again)")
    }
}
