/// Checks the tokens that simdjson's scan found by the grammar of RFC 8259, and lists the values.
///
/// The scan has checked the UTF-8, that strings end, and that they hold no control characters. It gives the offset of each of
/// `{}[]:,` outside strings, and of the first byte of everything else. So a string, number or word ends before the next offset,
/// apart from white space.
///
/// The open containers are chained through their own nodes, so the depth of nesting is bounded by the length of the text alone.
struct GrammarWalker {
    /// What the grammar allows as the next token.
    private enum Expected {
        case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing
    }

    /// Where the values are listed: there is room for a node a token.
    private let nodes: UnsafeMutableBufferPointer<JSONNode>
    /// How many have been listed.
    private(set) var count = 0
    /// How many bytes the tokens have: the rest of the text is white space.
    private(set) var tokenBytes = 0
    /// The innermost container that is open. Until it is closed, its `next` is the index of the one around it.
    private var container = GrammarWalker.none
    private static let none = UInt32.max
    private var expected = Expected.value
    private let hasEscapes: Bool

    /// - Parameters:
    ///   - nodes: not yet initialised; as many as there are tokens, which are never fewer than values.
    ///   - hasEscapes: whether there is a backslash in the text at all.
    init(into nodes: UnsafeMutableBufferPointer<JSONNode>, hasEscapes: Bool) {
        self.nodes = nodes
        self.hasEscapes = hasEscapes
    }

    mutating func walk(_ bytes: Span<UInt8>, tokens: Span<UInt32>) throws(JSONError) {
        for position in tokens.indices {
            let start = Int(tokens[position])
            let limit = position + 1 < tokens.count ? Int(tokens[position + 1]) : bytes.count
            let byte = bytes[start]
            tokenBytes += 1
            switch (expected, byte) {
            case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")):
                close(at: start)
            case (.value, _), (.valueOrEnd, _):
                try value(bytes, from: start, to: limit)
            case (.key, UInt8(ascii: "\"")), (.keyOrEnd, UInt8(ascii: "\"")):
                try string(bytes, from: start, to: limit)
                expected = .colon
            case (.colon, UInt8(ascii: ":")):
                expected = .value
            case (.commaOrEnd, UInt8(ascii: ",")):
                expected = isInObject ? .key : .value
            case (.commaOrEnd, UInt8(ascii: "]")) where !isInObject, (.commaOrEnd, UInt8(ascii: "}")) where isInObject:
                close(at: start)
            default:
                throw .syntax(offset: start)
            }
        }
        guard expected == .nothing else { throw .syntax(offset: bytes.count) }
    }

    private var isInObject: Bool {
        container != Self.none && nodes[Int(container)].kind == .object
    }

    private mutating func value(_ bytes: Span<UInt8>, from start: Int, to limit: Int) throws(JSONError) {
        if container != Self.none { nodes[Int(container)].count += 1 }
        switch bytes[start] {
        case UInt8(ascii: "{"): beginContainer(.object, at: start, expecting: .keyOrEnd)
        case UInt8(ascii: "["): beginContainer(.array, at: start, expecting: .valueOrEnd)
        case UInt8(ascii: "\""):
            try string(bytes, from: start, to: limit)
            valueEnded()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let end = endOfToken(bytes, from: start, to: limit)
            guard NumberGrammar.accepts(bytes, start..<end) else { throw .invalidNumber(offset: start) }
            append(.number, start, end)
            valueEnded()
        case UInt8(ascii: "t"): try word("true", .true, bytes, from: start, to: limit)
        case UInt8(ascii: "f"): try word("false", .false, bytes, from: start, to: limit)
        case UInt8(ascii: "n"): try word("null", .null, bytes, from: start, to: limit)
        default: throw .syntax(offset: start)
        }
    }

    private mutating func string(_ bytes: Span<UInt8>, from start: Int, to limit: Int) throws(JSONError) {
        let end = endOfToken(bytes, from: start, to: limit)
        guard end - start >= 2, bytes[end - 1] == UInt8(ascii: "\"") else { throw .syntax(offset: start) }
        let escaped = hasEscapes ? try StringEscapes.validate(bytes, (start + 1)..<(end - 1)) : false
        append(.string, start, end, hasEscapes: escaped)
    }

    private mutating func word(
        _ word: StaticString, _ kind: JSONKind, _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(JSONError) {
        let end = endOfToken(bytes, from: start, to: limit)
        guard end - start == word.utf8CodeUnitCount else { throw .syntax(offset: start) }
        let isWord = word.withUTF8Buffer { letters in letters.indices.allSatisfy { letters[$0] == bytes[start + $0] } }
        guard isWord else { throw .syntax(offset: start) }
        append(kind, start, end)
        valueEnded()
    }

    private mutating func beginContainer(_ kind: JSONKind, at start: Int, expecting: Expected) {
        let index = UInt32(count)
        append(kind, start, start)
        nodes[Int(index)].next = container
        container = index
        expected = expecting
    }

    private mutating func close(at offset: Int) {
        let closed = Int(container)
        container = nodes[closed].next
        nodes[closed].end = UInt32(offset + 1)
        nodes[closed].next = UInt32(count)
        valueEnded()
    }

    private mutating func valueEnded() {
        expected = container == Self.none ? .nothing : .commaOrEnd
    }

    private mutating func append(_ kind: JSONKind, _ start: Int, _ end: Int, hasEscapes: Bool = false) {
        precondition(count < nodes.count, "more values than tokens")
        nodes.initializeElement(
            at: count,
            to: JSONNode(
                kind: kind, hasEscapes: hasEscapes, start: UInt32(start), end: UInt32(end), next: UInt32(count + 1), count: 0))
        count += 1
    }

    /// Where the token that begins at `start` ends: what lies between it and the next one is white space (RFC 8259 §2).
    private mutating func endOfToken(_ bytes: Span<UInt8>, from start: Int, to limit: Int) -> Int {
        var end = limit
        while end > start + 1, isWhiteSpace(bytes[end - 1]) { end -= 1 }
        tokenBytes += end - start - 1
        return end
    }

    private func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
