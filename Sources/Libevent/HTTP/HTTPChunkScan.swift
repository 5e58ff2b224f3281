internal import Base

/// Reads along in a chunked body (RFC 9112 §7.1), before evhttp sees it: whether it is written as it should be, and what its
/// chunks announce, so that a body which is too large is known before it is kept.
///
/// evhttp reads extensions only behind a blank, and makes headers of the lines behind the last chunk, which could say anything
/// behind the back of whoever has judged the head (RFC 9110 §6.5.1). So both are changed in place: what follows a size becomes a
/// blank, and the name of a trailer is struck out.
struct HTTPChunkScan {
    private enum Place {
        /// Before the first digit of a chunk's size.
        case sizeStart, size
        /// Behind the size.
        case blanks, extensions, sizeEnd
        case data, dataEnd, dataLineEnd
        /// In the lines behind the last chunk.
        case trailerStart, trailerName, trailerValue, trailerEnd
        /// In the line end behind them.
        case lastEnd
        /// What follows is the next request.
        case end
    }

    /// The sizes of all chunks that have begun.
    private(set) var announced = 0
    /// It is none: nothing more is looked at.
    private(set) var isMalformed = false
    private var place = Place.sizeStart
    private var size = 0
    private var digits = 0
    private var dataLeft = 0
    /// The bytes that are neither sizes nor data.
    private var extras = 0

    /// All of the body has come.
    var isComplete: Bool { place == .end }

    /// More digits than any size needs.
    private static let maxDigits = 16
    /// Larger sizes cannot be counted; no limit is that large.
    private static let maxSize = Int.max >> 5
    /// All extensions and trailers of a body: nobody reads them.
    private static let maxExtras = 8192

    /// Looks at the next bytes of the body, and changes what evhttp would read otherwise.
    mutating func scan(_ bytes: UnsafeMutableRawBufferPointer) {
        var index = 0
        while index < bytes.count, place != .end, !isMalformed {
            if place == .data {
                let count = min(dataLeft, bytes.count - index)
                dataLeft -= count
                index += count
                if dataLeft == 0 { place = .dataEnd }
                continue
            }
            scanByte(bytes[index])
            switch place {
            case .blanks, .extensions:
                bytes[index] = HTTPSyntax.blank
                extras += 1
            case .trailerName:
                // A header without a name is nobody's.
                bytes[index] = UInt8(ascii: ":")
                extras += 1
            case .trailerValue: extras += 1
            default: break
            }
            if extras > Self.maxExtras { isMalformed = true }
            index += 1
        }
    }

    private mutating func scanByte(_ byte: UInt8) {
        switch place {
        case .sizeStart: scanSize(byte)
        case .size:
            switch byte {
            case HTTPSyntax.carriageReturn: place = .sizeEnd
            case HTTPSyntax.blank, HTTPSyntax.tab: place = .blanks
            case UInt8(ascii: ";"): place = .extensions
            default: scanSize(byte)
            }
        case .blanks:
            // Blanks alone are no extension.
            if byte == UInt8(ascii: ";") { place = .extensions } else if !HTTPSyntax.isSpace(byte) { isMalformed = true }
        case .extensions: scanText(byte, endsWith: .sizeEnd)
        case .sizeEnd:
            expect(HTTPSyntax.lineFeed, byte, then: .data)
            if !isMalformed { beginChunk() }
        case .data, .end: break
        case .dataEnd: expect(HTTPSyntax.carriageReturn, byte, then: .dataLineEnd)
        case .dataLineEnd: expect(HTTPSyntax.lineFeed, byte, then: .sizeStart)
        case .trailerStart where byte == HTTPSyntax.carriageReturn: place = .lastEnd
        case .trailerStart: scanName(byte)
        case .trailerName where byte == UInt8(ascii: ":"): place = .trailerValue
        case .trailerName: scanName(byte)
        case .trailerValue: scanText(byte, endsWith: .trailerEnd)
        case .trailerEnd: expect(HTTPSyntax.lineFeed, byte, then: .trailerStart)
        case .lastEnd: expect(HTTPSyntax.lineFeed, byte, then: .end)
        }
    }

    private mutating func expect(_ expected: UInt8, _ byte: UInt8, then next: Place) {
        if byte == expected { place = next } else { isMalformed = true }
    }

    /// evhttp would take a sign, a blank or "0x" before the digits, where a proxy may read something else.
    private mutating func scanSize(_ byte: UInt8) {
        guard let digit = Hex.value(of: byte), digits < Self.maxDigits else {
            isMalformed = true
            return
        }
        place = .size
        digits += 1
        size = size << 4 | Int(digit)
        if size > Self.maxSize { isMalformed = true }
    }

    private mutating func scanName(_ byte: UInt8) {
        if HTTPSyntax.isTokenByte(byte) { place = .trailerName } else { isMalformed = true }
    }

    private mutating func scanText(_ byte: UInt8, endsWith next: Place) {
        if byte == HTTPSyntax.carriageReturn {
            place = next
        } else if HTTPSyntax.isControl(byte) && byte != HTTPSyntax.tab {
            isMalformed = true
        }
    }

    private mutating func beginChunk() {
        announced += size
        dataLeft = size
        if size == 0 { place = .trailerStart }
        (size, digits) = (0, 0)
        if announced > Self.maxSize { isMalformed = true }
    }
}
