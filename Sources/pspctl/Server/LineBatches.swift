import Foundation

/// Reads a file in batches of whole lines, so that a file of any size takes little memory and each call is short.
struct LineBatches {
    /// Some lines of the file.
    struct Batch: Equatable {
        /// The number of the first one, from 1.
        let firstLine: Int
        let bytes: [UInt8]
        let count: Int
    }

    static let largestCount = 2_000
    static let largestSize = 4 << 20

    private let read: (Int) throws -> Data?
    private let mostLines: Int
    private var rest: [UInt8] = []
    private var nextLine = 1
    private var isAtEnd = false

    /// - Parameter read: gives up to so many bytes, none or `nil` at the end.
    init(mostLines: Int = LineBatches.largestCount, reading read: @escaping (Int) throws -> Data?) {
        self.mostLines = mostLines
        self.read = read
    }

    /// The next batch; `nil` at the end. A last line without a line end is a line.
    mutating func next() throws -> Batch? {
        while !isAtEnd, rest.count < LineBatches.largestSize {
            if let chunk = try read(1 << 20), !chunk.isEmpty {
                rest.append(contentsOf: chunk)
            } else {
                isAtEnd = true
                if let last = rest.last, last != UInt8(ascii: "\n") { rest.append(UInt8(ascii: "\n")) }
            }
        }
        guard !rest.isEmpty else { return nil }
        let (count, end) = try firstLines()
        let batch = Batch(firstLine: nextLine, bytes: Array(rest[..<end]), count: count)
        rest.removeFirst(end)
        nextLine += count
        return batch
    }

    private func firstLines() throws(Failure) -> (count: Int, end: Int) {
        var count = 0
        var end = 0
        for (index, byte) in rest.enumerated() where byte == UInt8(ascii: "\n") {
            count += 1
            end = index + 1
            if count == mostLines { break }
        }
        guard count > 0 else {
            throw .file(path: "line \(nextLine)", reason: "longer than \(LineBatches.largestSize) bytes")
        }
        return (count, end)
    }
}
