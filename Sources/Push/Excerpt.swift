internal import JSON

/// What a caller sent, as far as an answer repeats it: the first 64 bytes, in whole characters, with control characters escaped,
/// so that it moves no terminal and fills no log.
public struct Excerpt: Hashable, Sendable, CustomStringConvertible {
    /// How much is repeated, in bytes before escaping.
    public static let longest = 64

    /// A text in quotes, or JSON as it was sent.
    public let description: String
    /// The bytes of the whole.
    public let byteCount: Int
    /// Whether the whole was longer.
    public let isCut: Bool

    /// A text: it is shown in quotes.
    public init(_ text: String) {
        self.init(text, in: "\"")
    }

    /// A value of a body: strings by what they mean, anything else as it was sent.
    init(_ value: JSONValue) {
        if let text = value.string {
            self.init(text)
        } else {
            self.init(String(decoding: value.raw, as: UTF8.self), in: "")
        }
    }

    private init(_ text: String, in quote: String) {
        let start = Self.prefix(of: text, bytes: Self.longest)
        byteCount = text.utf8.count
        isCut = start.utf8.count < byteCount
        description = quote + Self.escaped(start) + (isCut ? "…" : "") + quote
    }

    /// As much of a text as fits in so many bytes, without quotes: what nobody sees, and what would end a line or turn its
    /// direction, is escaped. An identifier stays as it is.
    public static func shown(_ text: String, bytes limit: Int) -> String {
        let start = prefix(of: text, bytes: limit)
        let isCut = start.utf8.count < text.utf8.count
        return escaped(start) + (isCut ? "…" : "")
    }

    /// As much of a text as fits in so many bytes, without breaking a character's code apart.
    static func prefix(of text: String, bytes limit: Int) -> Substring.UnicodeScalarView {
        let scalars = text.unicodeScalars[...]
        guard text.utf8.count > limit else { return scalars }
        var count = 0
        return scalars.prefix { scalar in
            count += UTF8.width(scalar)
            return count <= limit
        }
    }

    private static func escaped(_ scalars: Substring.UnicodeScalarView) -> String {
        var text = ""
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            // Besides control characters those that are not seen, or turn the direction of what follows.
            case .control, .format, .lineSeparator, .paragraphSeparator:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Substring.UnicodeScalarView {
    /// How many bytes of UTF-8 it takes.
    fileprivate var utf8: Substring.UTF8View { Substring(self).utf8 }
}
