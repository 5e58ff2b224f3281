/// The lines of newline-delimited JSON, numbered from 1, from a text that comes slice by slice: so that reading 64 MiB is many
/// short steps. Lines of nothing but white space are numbered and left out.
struct LineReader {
    private let nextSlice: () -> [UInt8]?
    private var bytes: [UInt8] = []
    private var start = 0
    private var number = 0

    /// - Parameter nextSlice: the text's next bytes; `nil` at its end.
    init(_ nextSlice: @escaping () -> [UInt8]?) { self.nextSlice = nextSlice }

    /// The next line that says something; `nil` at the end.
    mutating func next() -> (number: Int, bytes: ArraySlice<UInt8>)? {
        while let line = nextLine() {
            number += 1
            if !line.allSatisfy(Self.isSpace) { return (number, line) }
        }
        return nil
    }

    private mutating func nextLine() -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return bytes[start..<end]
            }
            searched = bytes.count - start
            guard let slice = nextSlice() else { break }
            bytes.removeFirst(start)
            start = 0
            bytes.append(contentsOf: slice)
        }
        defer { start = bytes.count }
        return start < bytes.count ? bytes[start...] : nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
