import MQTT
import Testing

/// How a stream is cut before it reaches the decoder.
private let chunkSizes = [1, 2, 3, 7, 64]

/// Decodes a stream as a connection does: bytes arrive in chunks, what is not consumed stays in front of what comes next.
func decode(
    _ stream: [UInt8], inChunksOf size: Int, with decoder: inout PacketDecoder
) throws(MQTTError) -> (packets: [Packet], rest: [UInt8]) {
    var packets: [Packet] = []
    var input: [UInt8] = []
    var start = 0
    while start < stream.count {
        let end = min(start + size, stream.count)
        input.append(contentsOf: stream[start..<end])
        start = end
        var consumed = 0
        while let packet = try decoder.decode(input.span.bytes, consumed: &consumed) { packets.append(packet) }
        input.removeFirst(consumed)
    }
    return (packets, input)
}

/// Checks that `encoded` is `packet`, however it arrives: whole, byte by byte, in odd chunks, and fifty times in one read.
func verify(
    _ encoded: [UInt8], is packet: Packet, role: Role, version: ProtocolVersion?,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let fresh = PacketDecoder(role: role, version: version)

    var decoder = fresh
    var consumed = 0
    #expect(try decoder.decode(encoded.span.bytes, consumed: &consumed) == packet, sourceLocation: sourceLocation)
    #expect(consumed == encoded.count, "whole", sourceLocation: sourceLocation)
    #expect(try decoder.decode(encoded.span.bytes, consumed: &consumed) == nil, "nothing is left", sourceLocation: sourceLocation)
    #expect(consumed == encoded.count, sourceLocation: sourceLocation)

    decoder = fresh
    for count in 0..<encoded.count {
        var consumed = 0
        let front = Array(encoded[..<count])
        #expect(
            try decoder.decode(front.span.bytes, consumed: &consumed) == nil, "\(count) bytes", sourceLocation: sourceLocation)
        #expect(consumed == 0, "\(count) bytes", sourceLocation: sourceLocation)
    }

    let fifty = Array(repeatElement(encoded, count: 50).joined())
    for size in chunkSizes + [fifty.count] {
        decoder = fresh
        let (packets, rest) = try decode(fifty, inChunksOf: size, with: &decoder)
        #expect(packets == Array(repeating: packet, count: 50), "chunks of \(size)", sourceLocation: sourceLocation)
        #expect(rest.isEmpty, "chunks of \(size)", sourceLocation: sourceLocation)
    }
}

/// Checks that `encoded` is refused with `error`, however it arrives: whole, byte by byte, in odd chunks, and behind forty-nine
/// good packets.
func verify(
    _ encoded: [UInt8], breaks error: MQTTError, role: Role, version: ProtocolVersion?,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let fresh = PacketDecoder(role: role, version: version)

    var decoder = fresh
    var consumed = 0
    #expect(throws: error, sourceLocation: sourceLocation) { try decoder.decode(encoded.span.bytes, consumed: &consumed) }
    #expect(consumed == 0, "an error consumes nothing", sourceLocation: sourceLocation)

    for size in chunkSizes {
        decoder = fresh
        #expect(throws: error, "chunks of \(size)", sourceLocation: sourceLocation) {
            try decode(encoded, inChunksOf: size, with: &decoder)
        }
    }

    guard let version else { return }
    decoder = PacketDecoder(role: role, version: version)
    let good = role == .server ? bytes("C0 00") : bytes("D0 00")
    let stream = Array(repeatElement(good, count: 49).joined()) + encoded
    consumed = 0
    for _ in 0..<49 {
        #expect(throws: Never.self, sourceLocation: sourceLocation) { try decoder.decode(stream.span.bytes, consumed: &consumed) }
    }
    #expect(throws: error, sourceLocation: sourceLocation) { try decoder.decode(stream.span.bytes, consumed: &consumed) }
    #expect(consumed == 98, "what came before is consumed", sourceLocation: sourceLocation)
}
