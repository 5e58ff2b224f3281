internal import CYAML

/// A YAML document that is one mapping of plain names to plain values, such as a settings file. Everything richer (lists, nested
/// mappings, aliases, a second document) is refused with its line: a settings file has no use for it, and what is not understood
/// must not be guessed.
///
/// ```swift
/// let file = try FlatMapping("http: 127.0.0.1:8080  # REST\n")
/// file.pairs[0].key    // "http"
/// file.pairs[0].value  // "127.0.0.1:8080"
/// ```
public struct FlatMapping: Hashable, Sendable {
    /// One `key: value`; the line is where the key stands, from 1.
    public struct Pair: Hashable, Sendable {
        /// Unquoted.
        public let key: String
        /// Unquoted; empty where there is none.
        public let value: String
        /// From 1.
        public let line: Int
    }

    /// In the order of the document. Keys are unique.
    public let pairs: [Pair]

    /// - Parameter text: UTF-8. An empty document, or one of comments only, has no pairs.
    /// - Throws: ``YAMLError`` with the line at fault.
    public init(_ text: [UInt8]) throws(YAMLError) {
        let parser = try EventParser(text)
        var pairs: [Pair] = []
        var seen: Set<String> = []
        try parser.expectDocument()
        guard try parser.beginsMapping() else {
            self.pairs = []
            return
        }
        while let key = try parser.key() {
            guard seen.insert(key.text).inserted else {
                throw YAMLError(line: key.line, problem: .repeated(key.text))
            }
            let value = try parser.value(of: key.text)
            pairs.append(Pair(key: key.text, value: value, line: key.line))
        }
        try parser.expectEnd()
        self.pairs = pairs
    }

    /// The same of a text at hand.
    public init(_ text: String) throws(YAMLError) {
        try self.init(Array(text.utf8))
    }
}
