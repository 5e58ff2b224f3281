import Push
import Testing

@Suite("the text of an import")
struct ImportTextTests {
    /// The parts of a text that comes in slices of so many bytes.
    private func parts(_ text: [UInt8], by size: Int) -> [ImportPart] {
        var reader = ImportText()
        var parts: [ImportPart] = []
        for start in stride(from: 0, to: text.count, by: size) {
            if let part = reader.append(Array(text[start..<min(start + size, text.count)])) { parts.append(part) }
        }
        if let last = reader.finish() { parts.append(last) }
        return parts
    }

    private func lines(_ parts: [ImportPart]) -> [(number: Int, code: ErrorCode?)] {
        parts.flatMap { part in
            var lines = ImportLines(part)
            var found: [(number: Int, code: ErrorCode?)] = []
            while let line = lines.next() {
                if case .failure(let refusal) = line.change {
                    found.append((line.number, refusal.code))
                } else {
                    found.append((line.number, nil))
                }
            }
            #expect(lines.isAtEnd)
            return found
        }
    }

    @Test("lines keep their numbers, however their bytes come in; blank ones say nothing", arguments: [1, 2, 7, 16, 1000])
    func slices(size: Int) {
        let org = #"{"kind":"org","id":"o","name":"O"}"#
        let text = "\n \t\r\n\(org)\r\n\n\n[]\n\r\n\(org)\n  \n\(org)"
        let parts = parts(Array(text.utf8), by: size)
        #expect(parts.map(\.count) == [4] && parts.map(\.firstLine) == [3])
        let lines = lines(parts)
        #expect(lines.map(\.number) == [3, 6, 8, 10])
        #expect(lines.map(\.code) == [nil, .invalidValue, nil, nil])
    }

    @Test("a text that says nothing has no part, whatever its length", arguments: ["", "\n", " ", "\r\n \t\n", "\n\n\n"])
    func blank(text: String) {
        let bytes = Array(String(repeating: text, count: 200_000).utf8)
        #expect(parts(bytes, by: 16_384).isEmpty)
    }

    @Test("a long text comes in parts of whole lines, of which each keeps its number")
    func long() {
        let count = 30_000
        let text = (1...count).map { $0 % 3 == 0 ? "" : #"{"kind":"org","id":"org-\#($0)","name":"O"}"# }.joined(separator: "\n")
        let parts = parts(Array(text.utf8), by: 16_384)
        #expect(parts.count > 2 && parts.allSatisfy { $0.text.last == UInt8(ascii: "\n") && $0.text.count < 400 << 10 })
        #expect(lines(parts).map(\.number) == (1...count).filter { $0 % 3 != 0 })
        #expect(parts.reduce(0) { $0 + $1.count } == count - count / 3)
        for part in parts {
            var rest = ImportLines(part, after: part.firstLine + 100)
            #expect(rest.next().map { $0.number > part.firstLine + 100 } == true)
        }
    }

    @Test("of a line that is too long no more is kept than shows it, and it fails alone")
    func longLine() {
        let longest = String(repeating: "x", count: 65_536)
        let text = longest + "\n" + longest + "y\n" + String(repeating: "z", count: 3 << 20) + "\n[]\n"
        let parts = parts(Array(text.utf8), by: 10_000)
        #expect(parts.reduce(0) { $0 + $1.text.count } < 4 * 65_540)
        let lines = lines(parts)
        #expect(lines.map(\.number) == [1, 2, 3, 4])
        #expect(lines.map(\.code) == [.invalidJSON, .requestTooLarge, .requestTooLarge, .invalidValue])
    }
}
