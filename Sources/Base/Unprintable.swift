extension Unicode.Scalar {
    /// Whether it is not to be shown as it is where a peer may have chosen it: control characters move a cursor or end a line,
    /// and so do the two separators; the marks of direction (UAX #9) have what follows read backwards.
    public var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x2029, 0x061C, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
