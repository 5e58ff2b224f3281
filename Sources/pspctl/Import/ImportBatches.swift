import JSON

/// Makes of a file what the server imports: batches of JSON lines, each as large as one call takes. A line has the number that it
/// has in the file: what is no line of its own there, such as the header of a CSV file, leaves a blank one.
struct ImportBatches {
    struct Batch: Equatable {
        /// The number of the first line, from 1.
        let firstLine: Int
        var bytes: [UInt8] = []
        /// Lines that say something.
        var count = 0
        /// Lines that cannot be handed in: the first ones, and how many.
        var faults: [ImportResult.LineFailure] = []
        var faultCount = 0
    }

    /// A call may have 64 MiB.
    static let largestSize = 32 << 20

    private struct Line {
        let bytes: Result<[UInt8], ImportResult.LineFailure>
        /// Those of the file that it stands for.
        let lines: ClosedRange<Int>
    }

    private enum Source {
        case json(TextLines)
        case csv(CSVRecords, CSVHeader)
    }

    private let name: String
    private var source: Source
    private var nextLine = 1
    private let size: Int

    /// Looks at the first line: a file that does not begin with an object is CSV.
    /// - Parameter size: of a batch, in bytes; the last line may be beyond it.
    init(_ lines: TextLines, of name: String, size: Int = Self.largestSize) throws(Failure) {
        source = try Self.open(lines, of: name)
        self.name = name
        self.size = size
    }

    private static func open(_ lines: TextLines, of name: String) throws(Failure) -> Source {
        var lines = lines
        guard let first = try lines.firstByte(), first != UInt8(ascii: "{") else { return .json(lines) }
        var records = CSVRecords(lines, of: name)
        guard let record = try records.next() else { return .json(lines) }
        return .csv(records, try CSVHeader(record, of: name))
    }

    /// The next batch; `nil` at the end.
    mutating func next() throws(Failure) -> Batch? {
        guard let first = try takeLine() else { return nil }
        var batch = Batch(firstLine: first.lines.lowerBound)
        nextLine = batch.firstLine
        add(first, to: &batch)
        while batch.bytes.count < size, let line = try takeLine() { add(line, to: &batch) }
        return batch
    }

    private mutating func add(_ line: Line, to batch: inout Batch) {
        batch.bytes.append(contentsOf: repeatElement(UInt8(ascii: "\n"), count: line.lines.lowerBound - nextLine))
        switch line.bytes {
        case .success(let bytes):
            batch.bytes += bytes
            batch.count += 1
        case .failure(let fault):
            if batch.faults.count < ImportResult.mostFailures { batch.faults.append(fault) }
            batch.faultCount += 1
        }
        batch.bytes.append(contentsOf: repeatElement(UInt8(ascii: "\n"), count: line.lines.count))
        nextLine = line.lines.upperBound + 1
    }

    private mutating func takeLine() throws(Failure) -> Line? {
        switch source {
        case .json(var lines):
            var line = try lines.next()
            while let blank = line, blank.isBlank { line = try lines.next() }
            source = .json(lines)
            return line.map { Line(bytes: .success(Array($0.bytes)), lines: $0.number...$0.number) }
        case .csv(var records, let header):
            let record = try records.next()
            source = .csv(records, header)
            guard let record else { return nil }
            return Line(
                bytes: Result { () throws(ImportResult.LineFailure) in try header.line(record) }, lines: record.lines)
        }
    }
}
