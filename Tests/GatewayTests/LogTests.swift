import Base
import Libevent
import Logging
import MQTT
import TestKit
import Testing

@testable import Gateway

/// What peers can cause to be logged.
@Suite("Lines that peers bring about")
struct LogTests {
    private static func kind(_ cause: String) -> LineLimit.Kind { LineLimit.Kind(line: "a line", cause: cause) }

    @Test("one line of a kind and cause a second, and how many were left out")
    func limit() {
        var limit = LineLimit()
        #expect(limit.isEmpty)
        #expect(limit.admits(Self.kind("a")) == true)
        #expect(limit.admits(Self.kind("b")) == true)
        for _ in 0..<5 { #expect(limit.admits(Self.kind("a")) == false) }
        #expect(limit.secondHasPassed().map(\.count) == [5])
        // Telling so was the line of this second.
        #expect(limit.admits(Self.kind("a")) == false)
        #expect(limit.admits(Self.kind("b")) == true)
        #expect(limit.secondHasPassed().map(\.count) == [1])
        #expect(limit.secondHasPassed().isEmpty)
        #expect(limit.isEmpty)
        #expect(limit.admits(Self.kind("a")) == true)
    }

    @Test("causes without end are one kind in the end")
    func kinds() {
        var limit = LineLimit()
        let admitted = (0..<1_000).count { limit.admits(Self.kind("\($0)")) }
        #expect(admitted == LineLimit.kinds + 1)
        #expect(limit.secondHasPassed().map(\.count) == [1_000 - LineLimit.kinds - 1])
    }

    @Test(
        "a peer's words are cut at 64 bytes, between characters",
        arguments: [
            (String(repeating: "x", count: 64), String(repeating: "x", count: 64)),
            (String(repeating: "x", count: 65), String(repeating: "x", count: 64) + "…"),
            (String(repeating: "你", count: 30), String(repeating: "你", count: 21) + "…"),
        ])
    func cut(text: String, shown: String) { #expect(text.cutForLog == shown) }

    @Test("a flood of PUBLISH to foreign topics, of malformed receipts and of refused CONNECTs writes a few lines")
    func flood() async throws {
        let lines = Locked<[String]>([])
        var logger = Logger(label: "devices", factory: { _ in LineRecorder(lines: lines) })
        logger.logLevel = .info
        try await GatewayFixture.run(logger: logger) { gateway in
            let device = try await gateway.connect()
            let topic = String(repeating: "t", count: 500)
            for packetID in UInt16(1)...5_000 {
                await device.send(
                    .publish(Publish(topic: topic, payload: [], qos: .atMostOnce)),
                    .publish(Publish(topic: "psp/push/receipt", payload: [0x7B], qos: .atLeastOnce, packetID: packetID)))
            }
            for packetID in UInt16(1)...5_000 { #expect(try await device.next() == .puback(Acknowledgement(packetID: packetID))) }
            for _ in 0..<20 {
                let (refused, _) = try await ScriptedDevice.connect(
                    "nobody", to: gateway.addresses[0], on: gateway.deviceLoop)
                try await refused.waitForClose()
            }
            try await gateway.until("what was left out is told") {
                lines.withLock { lines in lines.count { $0.contains("lines were left out") } } >= 3
            }
        }
        let written = lines.withLock { $0 }
        // A kind has one line a second; the machine may take some seconds.
        #expect(written.count < 60, "\(written.count) lines")
        #expect(written.allSatisfy { $0.utf8.count < 400 })
        #expect(written.contains { $0.contains("foreign topic") })
    }
}

/// Keeps lines as texts.
private struct LineRecorder: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.info

    init(lines: Locked<[String]>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
}
