/// Whole lines of an import's text. ``ImportText`` makes them, ``ImportLines`` reads them.
public struct ImportPart: Hashable, Sendable {
    /// The number of its first line in the whole text, from 1.
    public let firstLine: Int
    /// How many of its lines say something: blank ones have a number and nothing else.
    public let count: Int
    /// The lines, each with its line end.
    public let text: [UInt8]

    package init(firstLine: Int, count: Int, text: [UInt8]) {
        self.firstLine = firstLine
        self.count = count
        self.text = text
    }
}
