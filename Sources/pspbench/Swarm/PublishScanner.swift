/// Walks the packets in a connection's input with as little work as a client can do: it looks only into PUBLISH, and there only
/// for the packet identifier.
struct PublishScanner {
    private let bytes: UnsafeRawBufferPointer
    /// The end of the last packet that is there as a whole.
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    enum Item {
        /// A PUBLISH; the identifier's two bytes as they stand in the packet, nil at QoS 0.
        case publish(packet: Range<Int>, identifier: UInt16?)
        /// Any other packet.
        case other(Range<Int>)
        /// No packet can begin like this.
        case malformed
    }

    /// The next whole packet; nil when the rest has not all arrived.
    mutating func next() -> Item? {
        let start = offset
        guard bytes.count - start >= 2 else { return nil }
        var length = 0
        var shift = 0
        var at = start + 1
        while true {
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            length |= Int(byte & 0x7f) << shift
            at += 1
            if byte < 0x80 { break }
            shift += 7
            if shift > 21 { return .malformed }
        }
        let end = at + length
        guard end <= bytes.count else { return nil }
        offset = end
        guard bytes[start] >> 4 == 3 else { return .other(start..<end) }
        return publish(start..<end, topic: at)
    }

    private func publish(_ packet: Range<Int>, topic: Int) -> Item {
        guard topic + 2 <= packet.upperBound else { return .malformed }
        guard bytes[packet.lowerBound] & 0b0110 != 0 else { return .publish(packet: packet, identifier: nil) }
        let identifier = topic + 2 + Int(bytes[topic]) << 8 + Int(bytes[topic + 1])
        guard identifier + 2 <= packet.upperBound else { return .malformed }
        return .publish(packet: packet, identifier: bytes.loadUnaligned(fromByteOffset: identifier, as: UInt16.self))
    }
}
