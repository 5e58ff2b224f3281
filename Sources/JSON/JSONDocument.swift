internal import CSimdjson

/// A text that is one JSON value; all of it has been checked. Keeps the caller's bytes, so that a value can be passed on exactly
/// as it was sent (``JSONValue/minified()``).
///
/// Strict RFC 8259: UTF-8 without byte order mark, no `NaN`, no trailing comma, nothing after the value. In addition a lone
/// surrogate escape is refused, since UTF-8 cannot express it. Numbers are checked by the grammar only, and duplicate keys are
/// kept.
///
/// ```swift
/// let document = try JSONDocument(parsing: body)
/// for (key, value) in document.root.members { … }
/// ```
public final class JSONDocument: Sendable {
    let bytes: [UInt8]
    let nodes: [JSONNode]
    let hasInsignificantWhiteSpace: Bool

    /// Parses a text of any depth of nesting in memory in proportion to its length.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        let (nodes, tokenBytes) = try JSONDocument.scan(bytes.span)
        self.nodes = nodes
        hasInsignificantWhiteSpace = tokenBytes < bytes.count
    }

    /// Parses a copy of the bytes.
    public convenience init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
        try self.init(parsing: [UInt8](bytes))
    }

    /// Parses a text of the program's own.
    public convenience init(parsing text: String) throws(JSONError) {
        try self.init(parsing: [UInt8](text.utf8))
    }

    /// The value that the text is.
    public var root: JSONValue { JSONValue(document: self, index: 0) }

    private static func scan(_ bytes: Span<UInt8>) throws(JSONError) -> (nodes: [JSONNode], tokenBytes: Int) {
        var offsets: UnsafePointer<UInt32>?
        var count = 0
        var hasEscapes: Int32 = 0
        let result = bytes.withUnsafeBufferPointer { csimdjson_scan($0.baseAddress, $0.count, &offsets, &count, &hasEscapes) }
        guard result == CSIMDJSON_SUCCESS else { throw JSONError(result, in: bytes) }
        // The offsets are the thread's until its next scan: nothing below scans.
        let tokens = UnsafeBufferPointer(start: offsets, count: count)
        var failure: JSONError?
        var tokenBytes = 0
        // The nodes are listed in temporary memory and then copied. An array made uninitialised would look up the type of its
        // storage at run time (500 instructions), and would keep room for each comma.
        let nodes = withUnsafeTemporaryAllocation(of: JSONNode.self, capacity: count) { nodes in
            var walker = GrammarWalker(into: nodes, hasEscapes: hasEscapes != 0)
            do throws(JSONError) { try walker.walk(bytes, tokens: tokens.span) } catch { failure = error }
            tokenBytes = walker.tokenBytes
            return [JSONNode](nodes[..<walker.count])
        }
        if let failure { throw failure }
        return (nodes, tokenBytes)
    }
}

extension JSONError {
    /// The library says what is wrong, and not where: that is looked for once it is known to be there.
    fileprivate init(_ result: csimdjson_result, in bytes: Span<UInt8>) {
        switch result {
        case CSIMDJSON_EMPTY: self = .empty
        case CSIMDJSON_TOO_LARGE: self = .tooLarge
        case CSIMDJSON_INVALID_UTF8: self = .invalidUTF8(offset: JSONError.invalidUTF8(in: bytes))
        case CSIMDJSON_UNCLOSED_STRING: self = .unclosedString(offset: JSONError.strings(in: bytes).open)
        case CSIMDJSON_CONTROL_CHARACTER: self = .controlCharacter(offset: JSONError.strings(in: bytes).control)
        default: self = .internalFailure
        }
    }

    private static func invalidUTF8(in bytes: Span<UInt8>) -> Int {
        do throws(Unicode.UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes)
            return bytes.count
        } catch {
            return error.byteOffsets.lowerBound
        }
    }

    /// Where the last string begins, and the first control character inside one; the text's end where there is none.
    private static func strings(in bytes: Span<UInt8>) -> (open: Int, control: Int) {
        var (open, control) = (bytes.count, bytes.count)
        var (isInside, isEscaped) = (false, false)
        for index in bytes.indices {
            let byte = bytes[index]
            if isInside, byte < 0x20, control == bytes.count { control = index }
            if byte == UInt8(ascii: "\""), !isEscaped {
                isInside.toggle()
                if isInside { open = index }
            }
            isEscaped = isInside && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return (open, control)
    }
}
