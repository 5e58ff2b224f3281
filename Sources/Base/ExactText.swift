internal import Glibc

/// A text that somebody outside chose, compared byte by byte: a tag, an `out_biz_no`, the name of a JSON member.
///
/// Two strings of Swift are equal as soon as Unicode takes them for the same text: "é" written as one code point and as two. Who
/// sends the two means two names, and every other program keeps them apart. So a text from outside is no key, and is compared
/// with nothing, but as one of these (`make lint` looks for dictionaries and sets by `String`). Identifiers need it not: they are
/// ASCII, where both are the same.
public struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The text as it was given.
    public let text: String

    /// Any text.
    public init(_ text: String) { self.text = text }

    /// A text of the program's own.
    public init(stringLiteral text: String) { self.text = text }

    /// The text as it was given.
    public var description: String { text }

    /// Whether they are the same bytes of UTF-8.
    public static func == (one: ExactText, other: ExactText) -> Bool { one.compare(other) == 0 }

    /// By the bytes of UTF-8, as databases sort.
    public static func < (one: ExactText, other: ExactText) -> Bool { one.compare(other) < 0 }

    /// Hashes the bytes of UTF-8.
    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // A byte that no text has, so that two texts in a row are told from two others.
        hasher.combine(0xFF as UInt8)
    }

    /// Below 0 where it comes before the other, 0 where both are the same.
    private func compare(_ other: ExactText) -> Int {
        var (one, other) = (text, other.text)
        return one.withUTF8 { one in
            other.withUTF8 { other in
                guard let left = one.baseAddress, let right = other.baseAddress else { return one.count - other.count }
                let difference = memcmp(left, right, min(one.count, other.count))
                return difference == 0 ? one.count - other.count : Int(difference)
            }
        }
    }
}
