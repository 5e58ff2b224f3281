import Foundation
import Logging
import Testing

@testable import PushServer

@Suite("Log lines")
struct LogLineTests {
    private let line = LogLine(
        time: 1_769_847_300_123, level: .warning, label: "gateway", message: "refused \"x\"\nforged",
        metadata: ["device": "d1", "a": "\u{1B}[31m\u{202E}"])

    @Test("as text, what a peer sent neither forges a line nor steers a terminal")
    func text() {
        #expect(
            line.text
                == "2026-01-31T08:15:00.123Z warning gateway: refused \"x\"\\u{a}forged a=\\u{1b}[31m\\u{202e} device=d1\n")
    }

    @Test("as JSON, one object a line")
    func json() {
        #expect(
            line.json
                == "{\"time\":\"2026-01-31T08:15:00.123Z\",\"level\":\"warning\",\"label\":\"gateway\","
                + "\"message\":\"refused \\\"x\\\"\\u000aforged\",\"a\":\"\\u001b[31m\\u202e\",\"device\":\"d1\"}\n")
    }
}

@Suite("The log's writer", .timeLimit(.minutes(1)))
struct LogWriterTests {
    @Test("nobody waits for a reader that stands still; when it goes on, a line tells how many lines were left out")
    func standingReader() throws {
        let pipe = Pipe()
        let writer = LogWriter(to: pipe.fileHandleForWriting.fileDescriptor, format: .text, capacity: 200_000)
        let line = String(repeating: "x", count: 999) + "\n"
        // The pipe holds 64 KiB, the writer 200,000 bytes: most are left out, and none of them blocks.
        for _ in 0..<1_000 { writer.write(line) }
        writer.flush(atMost: .milliseconds(10))
        let lines = Lines(pipe.fileHandleForReading)
        writer.flush(atMost: .seconds(30))
        try pipe.fileHandleForWriting.close()
        let read = lines.all()
        let told = read.filter { $0.contains("lines were left out") }
        let leftOut = told.compactMap { $0.split(separator: "=").last.flatMap { Int($0) } }.reduce(0, +)
        #expect(leftOut > 0)
        #expect(read.count { $0.hasPrefix("xxx") } + leftOut == 1_000)
    }

    /// Reads a pipe to its end on a thread of its own.
    private final class Lines: Sendable {
        private let queue = DispatchQueue(label: "reader")
        private nonisolated(unsafe) var bytes = Data()  // Safe: touched on the queue only.

        init(_ handle: FileHandle) { queue.async { self.bytes = (try? handle.readToEnd()) ?? Data() } }

        func all() -> [Substring] { queue.sync { String(decoding: bytes, as: UTF8.self).split(separator: "\n") } }
    }
}
