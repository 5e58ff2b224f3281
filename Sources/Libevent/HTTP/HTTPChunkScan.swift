internal import Base

/// Reads along in a chunked body (RFC 9112 §7.1), and counts what its chunks announce: so a body that is too large is known
/// before it is kept.
struct HTTPChunkScan {
    private enum Place {
        /// Before the first digit of a chunk's size: at the beginning, or behind the data of the chunk before.
        case lineStart
        /// In the digits of the size.
        case size
        /// Behind the size, in what evhttp judges.
        case restOfLine
        case data
        /// Behind the last chunk: in the trailer, or in the next request.
        case end
    }

    /// The sizes of all chunks that have begun.
    private(set) var announced = 0
    /// A size that is no number, or a line without end.
    private(set) var isMalformed = false
    private var place = Place.lineStart
    private var size = 0
    private var lineLength = 0
    private var dataLeft = 0

    /// Longer lines are not a chunk's size, and would be kept without a bound.
    private static let maxLineLength = 1024
    private static let mayFollowSize: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ";")]
    /// Larger sizes cannot be counted; no limit is that large.
    private static let maxSize = Int.max >> 5

    /// Looks at the next bytes of the body.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count, place != .end, !isMalformed {
            if place == .data {
                let count = min(dataLeft, bytes.count - index)
                dataLeft -= count
                index += count
                if dataLeft == 0 { place = .lineStart }
            } else {
                scanLine(bytes[index])
                index += 1
            }
        }
    }

    private mutating func scanLine(_ byte: UInt8) {
        lineLength += 1
        if byte == 0x0a { return endLine() }
        if lineLength > Self.maxLineLength { isMalformed = true }
        guard place != .restOfLine else { return }
        if let digit = Hex.value(of: byte) {
            place = .size
            size = size << 4 | Int(digit)
            if size > Self.maxSize { isMalformed = true }
        } else if byte == 0x0d || place == .size && Self.mayFollowSize.contains(byte) {
            if place == .size { place = .restOfLine }
        } else {
            // evhttp would take a sign, a blank or "0x" before the digits, where a proxy may read something else.
            isMalformed = true
        }
    }

    private mutating func endLine() {
        lineLength = 0
        // The end of the line that the data is in.
        if place == .lineStart { return }
        announced += size
        dataLeft = size
        place = size == 0 ? .end : .data
        size = 0
        if announced > Self.maxSize { isMalformed = true }
    }
}
