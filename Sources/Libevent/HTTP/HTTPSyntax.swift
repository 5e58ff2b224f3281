/// Which bytes may stand where in a request.
enum HTTPSyntax {
    /// A token (RFC 9110 §5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``; at least one.
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        // Nearly all names are letters and hyphens: eight of them are told at once.
        while bytes.count - start >= 8, ByteWord(bytes, at: start).isLettersAndHyphens { start += 8 }
        while start < bytes.count {
            guard isTokenByte(bytes[start]) else { return false }
            start += 1
        }
        return !bytes.isEmpty
    }

    @inline(__always)
    static func isTokenByte(_ byte: UInt8) -> Bool { isOneOf((0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe), byte) }

    /// A host with its port, if there is one (RFC 3986 §3.2.2), as far as its characters go; it may be empty.
    static func isHost(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { isOneOf((0x2fff_7ff2_0000_0000, 0x47ff_fffe_afff_fffe), $0) }
    }

    /// The value of a header (RFC 9110 §5.5): no control character but the tab.
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        while bytes.count - start >= 8, !ByteWord(bytes, at: start).hasControl { start += 8 }
        while start < bytes.count {
            guard !isControl(bytes[start]) || bytes[start] == tab else { return false }
            start += 1
        }
        return true
    }

    /// A target: neither blanks nor control characters, and no fragment, which is the client's own (RFC 9112 §3.2).
    static func isTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var strange: UInt8 = 0
        for byte in bytes { strange |= isControl(byte) || byte == blank || byte == fragment ? 1 : 0 }
        return strange == 0 && !bytes.isEmpty
    }

    @inline(__always)
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == blank || byte == tab }

    /// Whether an ASCII character is in the set, which has a bit for each.
    @inline(__always)
    private static func isOneOf(_ set: (below64: UInt64, above: UInt64), _ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? set.below64 : set.above) >> UInt64(byte & 63) & 1 == 1
    }

    static let blank = UInt8(ascii: " ")
    static let fragment = UInt8(ascii: "#")
    static let tab = UInt8(ascii: "\t")
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    /// What a TLS record that begins a handshake begins with (RFC 8446 §5.1).
    static let handshake: UInt8 = 0x16
}

/// Compares with a lower-case ASCII text: the name of a header, for one.
package func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, lowercased text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { expected in
        for index in expected.indices where lowercase(bytes[index]) != expected[index] { return false }
        return true
    }
}

/// Compares with a name, without case.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ name: String) -> Bool {
    guard bytes.count == name.utf8.count else { return false }
    return zip(bytes, name.utf8).allSatisfy { lowercase($0) == lowercase($1) }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
