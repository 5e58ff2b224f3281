import Foundation

/// The lines of a text in UTF-8, with their numbers, from a file of any size. A byte order mark in front of it is left out.
struct TextLines {
    struct Line: Equatable {
        /// From 1.
        let number: Int
        /// Without its line end.
        let bytes: ArraySlice<UInt8>

        var isBlank: Bool { bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
    }

    /// The longest line that is read, in bytes: far more than the server takes.
    private static let longest = 1 << 20

    private let name: String
    private let read: (Int) throws -> Data?
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0
    private var isAtEnd = false

    /// - Parameters:
    ///   - name: as messages call the file.
    ///   - read: gives up to so many bytes, none or `nil` at the end.
    init(of name: String, reading read: @escaping (Int) throws -> Data?) {
        self.name = name
        self.read = read
    }

    /// The next line; `nil` at the end. A last line without a line end is a line.
    /// - Throws: `Failure.file` for a line that is not UTF-8, and for a file that cannot be read.
    mutating func next() throws(Failure) -> Line? {
        guard let line = try nextBytes() else { return nil }
        number += 1
        // Lines of ASCII, which nearly all are, need no look at their sequences.
        guard line.allSatisfy({ $0 < 0x80 }) || String(validating: line, as: UTF8.self) != nil else {
            throw .file(
                path: "\(name):\(number)",
                reason:
                    say(
                        "not UTF-8: the file must be UTF-8 "
                            + "(GBK from a spreadsheet: save it as “CSV UTF-8”, or iconv -f GBK -t UTF-8)",
                        "不是 UTF-8：文件必须是 UTF-8（电子表格的 GBK 文件请另存为“CSV UTF-8”，或用 iconv -f GBK -t UTF-8 转换）")
            )
        }
        return Line(number: number, bytes: line)
    }

    private mutating func nextBytes() throws(Failure) -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            guard buffer.count - start <= Self.longest else {
                throw .file(
                    path: "\(name):\(number + 1)", reason: say("longer than \(Self.longest) bytes", "超过 \(Self.longest) 字节"))
            }
            searched = buffer.count - start
            guard try fill() else { break }
        }
        defer { start = buffer.count }
        return start < buffer.count ? buffer[start...] : nil
    }

    /// The first byte that is not white space; nothing is taken.
    mutating func firstByte() throws(Failure) -> UInt8? {
        var looked = start
        while true {
            if let byte = buffer[looked...].first(where: { !" \t\r\n".utf8.contains($0) }) { return byte }
            looked = buffer.count
            guard try fill() else { return nil }
        }
    }

    /// Reads on; what was taken goes.
    /// - Returns: whether there was more.
    private mutating func fill() throws(Failure) -> Bool {
        let isFirst = number == 0 && buffer.isEmpty
        buffer.removeFirst(start)
        start = 0
        guard try append() else { return false }
        guard isFirst else { return true }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        while buffer.count < mark.count, try append() {}
        if buffer.starts(with: mark) { buffer.removeFirst(mark.count) }
        return true
    }

    private mutating func append() throws(Failure) -> Bool {
        guard !isAtEnd else { return false }
        do {
            guard let chunk = try read(1 << 20), !chunk.isEmpty else {
                isAtEnd = true
                return false
            }
            buffer.append(contentsOf: chunk)
            return true
        } catch {
            throw .file(path: name, reason: say("cannot be read: \(error)", "无法读取：\(error)"))
        }
    }
}
