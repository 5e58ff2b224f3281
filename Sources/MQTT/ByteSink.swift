/// What packets are written to: first one that counts, then one that keeps, so that lengths are exact and each packet is
/// described once.
protocol ByteSink {
    mutating func uint8(_ value: UInt8)
    mutating func uint16(_ value: UInt16)
    mutating func uint32(_ value: UInt32)
    mutating func variableByteInteger(_ value: Int)
    /// Bytes with nothing before them.
    mutating func raw(_ bytes: [UInt8])
    /// A UTF-8 string with its length before it; at most 65,535 bytes.
    mutating func string(_ text: String)
    /// Binary data with its length before it; at most 65,535 bytes.
    mutating func binary(_ bytes: [UInt8])
}

/// Counts.
struct ByteCounter: ByteSink {
    private(set) var count = 0

    mutating func uint8(_ value: UInt8) { count += 1 }
    mutating func uint16(_ value: UInt16) { count += 2 }
    mutating func uint32(_ value: UInt32) { count += 4 }
    mutating func variableByteInteger(_ value: Int) { count += VariableByteInteger.length(of: value) }
    mutating func raw(_ bytes: [UInt8]) { count += bytes.count }
    mutating func string(_ text: String) { count += 2 + text.utf8.count }
    mutating func binary(_ bytes: [UInt8]) { count += 2 + bytes.count }
}

/// Appends.
extension [UInt8]: ByteSink {
    mutating func uint8(_ value: UInt8) { append(value) }

    mutating func uint16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func uint32(_ value: UInt32) {
        uint16(UInt16(truncatingIfNeeded: value >> 16))
        uint16(UInt16(truncatingIfNeeded: value))
    }

    mutating func variableByteInteger(_ value: Int) {
        precondition(0...VariableByteInteger.maximum ~= value, "no variable byte integer can hold this")
        var rest = value
        while rest >= 128 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func raw(_ bytes: [UInt8]) { append(contentsOf: bytes) }

    mutating func string(_ text: String) {
        length(text.utf8.count)
        append(contentsOf: text.utf8)
    }

    mutating func binary(_ bytes: [UInt8]) {
        length(bytes.count)
        append(contentsOf: bytes)
    }

    private mutating func length(_ count: Int) {
        precondition(count <= Int(UInt16.max), "a string or binary data of MQTT has at most 65,535 bytes")
        uint16(UInt16(truncatingIfNeeded: count))
    }
}
