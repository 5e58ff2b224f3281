/// An integer of one to four bytes of seven bits each, the lowest first (MQTT 5.0 §1.5.5).
enum VariableByteInteger {
    static let maximum = 268_435_455

    enum Decoded {
        case value(Int, length: Int, isMinimal: Bool)
        /// The bytes so far may be the front of one.
        case needsMore
        case tooLong
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, at start: Int, end: Int) -> Decoded {
        var value = 0
        for index in 0..<4 {
            guard start + index < end else { return .needsMore }
            let byte = bytes[start + index]
            value |= Int(byte & 0x7F) << (7 * index)
            if byte < 0x80 { return .value(value, length: index + 1, isMinimal: index == 0 || byte != 0) }
        }
        return .tooLong
    }

    /// How many bytes `value` takes.
    static func length(of value: Int) -> Int {
        switch value {
        case ..<128: 1
        case ..<16_384: 2
        case ..<2_097_152: 3
        default: 4
        }
    }
}
