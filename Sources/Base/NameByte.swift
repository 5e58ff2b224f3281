extension UInt8 {
    /// Whether names that go everywhere may hold it, in a header, a file, a line of a log: `A-Z a-z 0-9 . _ -`.
    @inlinable public var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
