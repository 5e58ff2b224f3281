/// The records of comma-separated values (RFC 4180): fields in quotes may hold commas, doubled quotes and line ends.
struct CSVRecords {
    struct Record: Equatable {
        /// Where it begins, and where it ends.
        let lines: ClosedRange<Int>
        let fields: [String]
    }

    private let name: String
    private var lines: TextLines

    init(_ lines: TextLines, of name: String) {
        self.lines = lines
        self.name = name
    }

    /// The next record; `nil` at the end. Blank lines are none.
    mutating func next() throws(Failure) -> Record? {
        var parser = FieldParser()
        while let line = try lines.next() {
            if parser.isEmpty && line.isBlank { continue }
            try feed(&parser, line)
            if let first = parser.firstLine, !parser.isQuoted { return Record(lines: first...line.number, fields: parser.take()) }
        }
        guard let first = parser.firstLine else { return nil }
        throw .file(path: "\(name):\(first)", reason: say("a quote that begins here does not end", "此处开始的引号没有结束"))
    }

    private func feed(_ parser: inout FieldParser, _ line: TextLines.Line) throws(Failure) {
        guard parser.feed(line) else {
            throw .file(
                path: "\(name):\(line.number)",
                reason: say(
                    "a quote in the middle of a field: put the field in quotes and double it", "内容中间有引号：请给内容加引号，并把其中的引号写两遍"))
        }
    }

    /// The fields of one record.
    private struct FieldParser {
        private(set) var firstLine: Int?
        /// Whether the record goes on in the next line.
        private(set) var isQuoted = false
        private var fields: [String] = []
        private var field: [UInt8] = []
        /// A field in quotes has ended: a comma or another quote comes next.
        private var isClosed = false

        var isEmpty: Bool { firstLine == nil }

        /// - Returns: whether it can be read.
        mutating func feed(_ line: TextLines.Line) -> Bool {
            if isQuoted { field.append(UInt8(ascii: "\n")) }
            firstLine = firstLine ?? line.number
            // A line end may be CR LF: outside quotes the CR belongs to it, inside to the field.
            let endsWithReturn = line.bytes.last == 0x0D
            let bytes = endsWithReturn ? line.bytes.dropLast() : line.bytes
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\"") where isQuoted: (isQuoted, isClosed) = (false, true)
                case UInt8(ascii: "\"") where isClosed:
                    field.append(byte)
                    (isQuoted, isClosed) = (true, false)
                case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
                case UInt8(ascii: ",") where !isQuoted: endField()
                case UInt8(ascii: "\""): return false
                default:
                    guard !isClosed else { return false }
                    field.append(byte)
                }
            }
            if isQuoted && endsWithReturn { field.append(0x0D) }
            return true
        }

        private mutating func endField() {
            fields.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
            isClosed = false
        }

        mutating func take() -> [String] {
            endField()
            return fields
        }
    }
}
