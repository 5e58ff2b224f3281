internal import Glibc

/// What a load generator writes into a payload. By it the receiving end tells how long the message took and whether any is
/// missing.
///
/// `psp@`, the stream, ten digits of sequence, `@`, sixteen digits of Unix time in microseconds, `@`: always of the same length,
/// and without any character that JSON escapes.
struct Mark: Equatable {
    /// Whom a message is for decides what its sequence means.
    enum Stream: UInt8 {
        /// To everybody: each device gets every number.
        case group = 103  // g
        /// To one device: its numbers grow, with gaps.
        case single = 115  // s
    }

    var stream: Stream
    var sequence: UInt32
    /// When it was sent: Unix time in microseconds.
    var sentAt: Int64

    /// How long a mark is, in bytes.
    static let count = 4 + 1 + 10 + 1 + 16 + 1

    /// The mark as text.
    var text: String {
        "psp@" + String(UnicodeScalar(stream.rawValue)) + digits(Int64(sequence), 10) + "@" + digits(sentAt, 16) + "@"
    }

    private func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    /// The mark that begins exactly at `bytes[offset]`; nil if none does.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset + Mark.count <= bytes.count, Mark.begins(bytes, offset),
            let stream = Stream(rawValue: bytes[offset + 4]), bytes[offset + 15] == 0x40, bytes[offset + 32] == 0x40,
            let sequence = Mark.number(bytes, offset + 5, 10), let sentAt = Mark.number(bytes, offset + 16, 16)
        else { return nil }
        self.init(stream: stream, sequence: UInt32(truncatingIfNeeded: sequence), sentAt: sentAt)
    }

    init(stream: Stream, sequence: UInt32, sentAt: Int64) {
        (self.stream, self.sequence, self.sentAt) = (stream, sequence, sentAt)
    }

    private static func begins(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == UInt32(littleEndian: 0x4070_7370)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<start + count {
            let digit = bytes[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    /// Where the first mark in `bytes[range]` begins; nil if there is none.
    static func find(in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        while offset + count <= range.upperBound {
            guard let base = bytes.baseAddress, let found = memchr(base + offset, 0x70, range.upperBound - count + 1 - offset)
            else {
                return nil
            }
            offset = UnsafeRawPointer(found) - base
            if Mark(bytes, at: offset) != nil { return offset }
            offset += 1
        }
        return nil
    }
}
