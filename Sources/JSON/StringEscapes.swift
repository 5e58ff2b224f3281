internal import Base

/// The escapes of a string (RFC 8259 §7). Ranges are those between the quotes.
enum StringEscapes {
    /// Checks every escape. Returns whether there is one.
    static func validate(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> Bool {
        var found = false
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            switch escape(bytes, at: index, end: range.upperBound) {
            case .scalar(_, let length): index += length
            case .invalid: throw .invalidEscape(offset: index)
            case .loneSurrogate: throw .loneSurrogate(offset: index)
            }
            found = true
        }
        return found
    }

    /// The string that is meant, of a range that has been validated.
    static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        forEachPiece(bytes, range) { piece in
            switch piece {
            case .byte(let byte): decoded.append(byte)
            case .escaped(let scalar): decoded.append(contentsOf: scalar.utf8)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// How many bytes Python's `json.dumps(…, ensure_ascii=False)` writes for the content of a range that has been validated: it
    /// escapes `"`, `\` and what is below U+0020, and writes everything else as UTF-8.
    static func measure(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var size = 0
        forEachPiece(bytes, range) { piece in
            switch piece {
            case .byte: size += 1
            case .escaped(let scalar): size += writtenSize(of: scalar)
            }
        }
        return size
    }

    private static func writtenSize(of scalar: Unicode.Scalar) -> Int {
        switch scalar {
        case "\"", "\\", "\u{8}", "\u{C}", "\n", "\r", "\t": 2
        case "\0"..."\u{1F}": 6
        default: UTF8.width(scalar)
        }
    }

    private enum Piece {
        case byte(UInt8)
        case escaped(Unicode.Scalar)
    }

    private static func forEachPiece(_ bytes: Span<UInt8>, _ range: Range<Int>, _ body: (Piece) -> Void) {
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                body(.byte(bytes[index]))
                index += 1
                continue
            }
            guard case .scalar(let scalar, let length) = escape(bytes, at: index, end: range.upperBound) else {
                preconditionFailure("an escape that the document's check let through")
            }
            body(.escaped(scalar))
            index += length
        }
    }

    private enum Escape {
        case scalar(Unicode.Scalar, length: Int)
        case invalid
        case loneSurrogate
    }

    private static func escape(_ bytes: Span<UInt8>, at index: Int, end: Int) -> Escape {
        guard index + 1 < end else { return .invalid }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""): return .scalar("\"", length: 2)
        case UInt8(ascii: "\\"): return .scalar("\\", length: 2)
        case UInt8(ascii: "/"): return .scalar("/", length: 2)
        case UInt8(ascii: "b"): return .scalar("\u{8}", length: 2)
        case UInt8(ascii: "f"): return .scalar("\u{C}", length: 2)
        case UInt8(ascii: "n"): return .scalar("\n", length: 2)
        case UInt8(ascii: "r"): return .scalar("\r", length: 2)
        case UInt8(ascii: "t"): return .scalar("\t", length: 2)
        case UInt8(ascii: "u"): return unicodeEscape(bytes, at: index, end: end)
        default: return .invalid
        }
    }

    /// `\uXXXX`, or two of them that make a surrogate pair.
    private static func unicodeEscape(_ bytes: Span<UInt8>, at index: Int, end: Int) -> Escape {
        guard let unit = codeUnit(bytes, at: index, end: end) else { return .invalid }
        if let scalar = Unicode.Scalar(unit) { return .scalar(scalar, length: 6) }
        guard UTF16.isLeadSurrogate(unit), let second = codeUnit(bytes, at: index + 6, end: end), UTF16.isTrailSurrogate(second)
        else { return .loneSurrogate }
        return .scalar(UTF16.decode(UTF16.EncodedScalar([unit, second])), length: 12)
    }

    private static func codeUnit(_ bytes: Span<UInt8>, at index: Int, end: Int) -> UInt16? {
        guard index + 6 <= end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for offset in (index + 2)..<(index + 6) {
            guard let digit = Hex.value(of: bytes[offset]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
