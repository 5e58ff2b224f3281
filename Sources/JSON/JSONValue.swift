internal import Base

/// A value of a document, seen in place: nothing is decoded before it is asked for. Keeps its document alive.
///
/// An accessor of another kind than the value's is `nil`, or has no elements. Whether that is an error, the reader decides.
public struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int

    var node: JSONNode { document.nodes[index] }

    /// What the value is.
    public var kind: JSONKind { node.kind }

    /// Whether the value is `null`.
    public var isNull: Bool { kind == .null }

    /// The decoded string.
    public var string: String? {
        let node = node
        guard node.kind == .string else { return nil }
        let range = Int(node.start + 1)..<Int(node.end - 1)
        let text = document.bytes
        guard !node.hasEscapes else { return StringEscapes.decode(text.span, range) }
        return String(decoding: text[range], as: UTF8.self)
    }

    /// Whether the value is this string; nothing is decoded unless it has escapes.
    public func isString(_ text: String) -> Bool {
        let node = node
        guard node.kind == .string else { return false }
        guard !node.hasEscapes else { return string.map { ExactText($0) == ExactText(text) } ?? false }
        guard Int(node.end - node.start) - 2 == text.utf8.count else { return false }
        var text = text
        let bytes = document.bytes
        return text.withUTF8 { text in
            for index in text.indices where bytes[Int(node.start) + 1 + index] != text[index] { return false }
            return true
        }
    }

    /// `true` or `false`.
    public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// A number written as an integer (no point, no exponent) that fits.
    public var int64: Int64? { integer() }

    /// A number written as an integer (no point, no exponent, no sign but of `-0`) that fits.
    public var uint64: UInt64? { integer() }

    /// A number, as near as a double comes; infinite where it is too large.
    public var double: Double? {
        guard kind == .number else { return nil }
        return Double(String(decoding: raw, as: UTF8.self))
    }

    /// The value's bytes as they were sent, with the white space inside.
    public var raw: ArraySlice<UInt8> {
        let node = node
        return document.bytes[Int(node.start)..<Int(node.end)]
    }

    /// An object's members in the order of the text, duplicate keys included.
    public var members: Members { Members(of: self) }

    /// An array's elements.
    public var elements: Elements { Elements(of: self) }

    /// How many members or elements there are; 0 for what is neither object nor array.
    public var count: Int { Int(node.count) }

    /// The first member with this key, byte for byte.
    public subscript(key: String) -> JSONValue? {
        let key = ExactText(key)
        return members.first { ExactText($0.key) == key }?.value
    }

    private func integer<Integer: FixedWidthInteger>() -> Integer? {
        guard kind == .number else { return nil }
        let digits = raw
        guard digits.count <= 20 else { return nil }
        return Integer(String(decoding: digits, as: UTF8.self))
    }
}
