/// Reads the lines of a part of an import, one after the other: decoding one is all that a step takes.
public struct ImportLines: Sendable {
    /// One line that says something.
    public struct Line: Sendable {
        /// Its number in the whole text, from 1.
        public let number: Int
        /// What it asks for, or why that cannot be read.
        public let change: Result<DirectoryChange, Refusal>
    }

    private let text: [UInt8]
    private var start = 0
    private var number: Int

    /// - Parameter done: lines up to this number are passed over.
    public init(_ part: ImportPart, after done: Int = 0) {
        text = part.text
        number = part.firstLine - 1
        while number < done, start < text.count { start = passLine() }
    }

    /// Nothing is left, not even a blank line.
    public var isAtEnd: Bool { start >= text.count }

    /// The next line that says something; `nil` at the end.
    public mutating func next() -> Line? {
        while start < text.count {
            let line = start
            start = passLine()
            let end = start - 1
            if end - line > ImportText.longestLine {
                return Line(number: number, change: .failure(Refusal(.requestTooLarge, .limit(ImportText.longestLine, .line))))
            }
            if text[line..<end].allSatisfy(Self.isSpace) { continue }
            return Line(
                number: number,
                change: Result { () throws(Refusal) in try DirectoryDecoder.importLine(Array(text[line..<end])) })
        }
        return nil
    }

    /// - Returns: where the next line begins.
    private mutating func passLine() -> Int {
        number += 1
        let end = text.withUnsafeBufferPointer { bytes in
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            return end
        }
        return end + 1
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
