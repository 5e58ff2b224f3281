/// Eight bytes at once: whether all of them are of a kind. A byte's answer stands in its highest bit.
struct ByteWord {
    private let bytes: UInt64

    /// Eight bytes from `index` on, which are there.
    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer, at index: Int) { bytes = buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self) }

    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// The same byte eight times.
    @inline(__always)
    private static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The highest bit of each byte that is at least `least` and below 0x80.
    @inline(__always)
    private static func atLeast(_ least: UInt8, _ bytes: UInt64) -> UInt64 {
        // Without the highest bits no sum reaches into the next byte.
        ((bytes & ~highBits) &+ all(0x80 - least)) & ~bytes & highBits
    }

    /// The highest bit of each byte that is `byte`, which is below 0x80.
    @inline(__always)
    private static func equal(_ byte: UInt8, _ bytes: UInt64) -> UInt64 {
        let difference = bytes ^ all(byte)
        return ~(((difference & ~highBits) &+ all(0x7f)) | difference) & highBits
    }

    /// ASCII letters and `-`, and nothing else.
    @inline(__always)
    var isLettersAndHyphens: Bool {
        let lowercase = bytes | Self.all(0x20)
        let letters = Self.atLeast(UInt8(ascii: "a"), lowercase) & ~Self.atLeast(UInt8(ascii: "z") + 1, lowercase)
        return letters | Self.equal(UInt8(ascii: "-"), bytes) == Self.highBits
    }

    /// Whether a control character is among them (below 0x20, or 0x7f).
    @inline(__always)
    var hasControl: Bool {
        let plain = Self.atLeast(0x20, bytes) | (bytes & Self.highBits)
        return plain & ~Self.equal(0x7f, bytes) != Self.highBits
    }
}
