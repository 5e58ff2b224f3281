import Logging
import Testing

@testable import PushServer

@Suite("Log lines")
struct LogLineTests {
    private let line = LogLine(
        time: 1_769_847_300_123, level: .warning, label: "gateway", message: "refused \"x\"\nforged",
        metadata: ["device": "d1", "a": "\u{1B}[31m"])

    @Test("as text, what a peer sent neither forges a line nor steers a terminal")
    func text() {
        #expect(
            line.text
                == "2026-01-31T08:15:00.123Z warning gateway: refused \"x\"\\u{a}forged a=\\u{1b}[31m device=d1\n")
    }

    @Test("as JSON, one object a line")
    func json() {
        #expect(
            line.json
                == "{\"time\":\"2026-01-31T08:15:00.123Z\",\"level\":\"warning\",\"label\":\"gateway\","
                + "\"message\":\"refused \\\"x\\\"\\u000aforged\",\"a\":\"\\u001b[31m\",\"device\":\"d1\"}\n")
    }
}
