import Testing

@testable import pspbench

@Suite("The server's answers to a load")
struct HTTPWireTests {
    private let wire = HTTPWire(appkey: "a", secret: "s", host: "h")

    private func answers(_ text: String) throws -> (found: [LoadAnswer], consumed: Int) {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var (found, consumed): ([LoadAnswer], Int) = ([], 0)
            while let answer = try wire.answer(bytes, consumed: &consumed) { found.append(answer) }
            return (found, consumed)
        }
    }

    @Test("a success, a refusal, and one of which a part is missing")
    func several() throws {
        let good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        let bad = "HTTP/1.1 404 Not Found\r\ncontent-length:4\r\n\r\nnone"
        let part = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"
        let seen = try answers(good + bad + part)
        #expect(seen.found == [.accepted, .refused("HTTP 404 none")])
        #expect(seen.consumed == (good + bad).utf8.count)
    }

    @Test("an answer without a length is none")
    func lengthless() { #expect(throws: BenchError.self) { try answers("HTTP/1.1 200 OK\r\n\r\n") } }
}
