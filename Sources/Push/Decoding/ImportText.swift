/// Takes the text of an import as its bytes come in, and cuts it into parts of whole lines: newline-delimited JSON, of which
/// ``ImportLines`` reads the lines. Nothing is decoded here, so that a slice of any text is a short piece of work.
public struct ImportText {
    /// A part is handed out when it has so many bytes; it has one line more at most.
    static let partSize = 256 << 10
    /// The longest line, in bytes: as the body of the PUT that says the same. Of a longer one no more is kept than shows that it
    /// is too long.
    static let longestLine = 64 << 10

    private var text: [UInt8] = []
    /// Lines of the part that say something.
    private var count = 0
    private var firstLine = 1

    // The line that is not complete yet.
    private var line = 1
    private var lineStart = 0
    private var isBlank = true

    /// No text yet.
    public init() {}

    /// Takes the next bytes.
    /// - Returns: the part that is full with them.
    public mutating func append(_ slice: [UInt8]) -> ImportPart? {
        slice.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                var end = start
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
                take(UnsafeBufferPointer(rebasing: bytes[start..<end]))
                if end < bytes.count { endLine() }
                start = end + 1
            }
        }
        return lineStart >= Self.partSize ? takePart() : nil
    }

    /// The text is complete; a last line without a line end is a line.
    /// - Returns: what is left; `nil` where that says nothing.
    public mutating func finish() -> ImportPart? {
        if lineStart < text.count || !isBlank { endLine() }
        return count > 0 ? takePart() : nil
    }

    private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        if isBlank { isBlank = bytes.allSatisfy(ImportLines.isSpace) }
        let room = max(0, Self.longestLine + 1 - (text.count - lineStart))
        text.append(contentsOf: bytes.prefix(room))
    }

    private mutating func endLine() {
        line += 1
        if isBlank {
            // Only its number counts; before the first line of a part not even a line end is needed for that.
            text.removeLast(text.count - lineStart)
            if count == 0 { firstLine = line } else { text.append(UInt8(ascii: "\n")) }
        } else {
            count += 1
            text.append(UInt8(ascii: "\n"))
        }
        lineStart = text.count
        isBlank = true
    }

    private mutating func takePart() -> ImportPart {
        let rest = Array(text[lineStart...])
        text.removeLast(rest.count)
        let part = ImportPart(firstLine: firstLine, count: count, text: text)
        (text, count, firstLine, lineStart) = (rest, 0, line, 0)
        return part
    }
}
