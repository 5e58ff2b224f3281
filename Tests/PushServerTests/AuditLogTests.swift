import Base
import Foundation
import Push
import Testing

@testable import PushServer

/// The audit log as lines, to a file and to the system's log.
@Suite("Lines of the audit log")
struct AuditLogTests {
    private let entry = AuditEntry(
        .named(OperatorIdentity(OperatorNumber(1), OperatorName(unchecked: "ann"))), scope: nil, client: IPAddress("192.0.2.7"),
        requestID: "r-1", .deviceRead,
        AuditTarget(.device, "a\nb\u{202E}"), task: nil, code: 2201)

    @Test("an entry is one line of JSON, with the time as people read it, and what nobody sees escaped")
    func line() throws {
        let directory = try TemporaryDirectory()
        let log = try AuditLog(.file(directory.path + "/audit"))
        log.tell(entry, at: 1_795_514_400_123)
        let key = RefusalCount.Key(.callers, name: "demo", client: nil, code: 2005)
        log.tell([RefusalCount(key, minute: 29_925_240, count: 3)], ahead: 20)
        log.flush(atMost: .seconds(10))
        #expect(
            try directory.text(of: "audit") == """
                {"event":"audit","time":"2026-11-24T10:00:00.123Z","caller":"operator","operator":"ann","address":"192.0.2.7",\
                "request_id":"r-1","action":"device.read","target_type":"device","target":"a\\\\u000ab\\\\u202e","code":2201}
                {"event":"refusals","minute":"2026-11-24T10:00:00.000Z","listener":"callers","name":"demo","code":2005,"count":3}

                """)
        #expect(try directory.mode(of: "audit") == 0o600)
    }

    @Test("what is written after the file was moved away goes to a new one, and nothing is lost between")
    func rotation() throws {
        let directory = try TemporaryDirectory()
        let log = try AuditLog(.file(directory.path + "/audit"))
        for _ in 0..<3 { log.tell(entry, at: 0) }
        log.flush(atMost: .seconds(10))
        try FileManager.default.moveItem(atPath: directory.path + "/audit", toPath: directory.path + "/audit.1")
        func lines(_ name: String) throws -> Int { try directory.text(of: name).split(separator: "\n").count }
        log.tell(entry, at: 0)
        log.flush(atMost: .seconds(10))
        log.reopen()
        log.flush(atMost: .seconds(10))
        #expect(try lines("audit.1") == 4)
        for _ in 0..<2 { log.tell(entry, at: 0) }
        log.reopen()
        log.tell(entry, at: 0)
        log.flush(atMost: .seconds(10))
        #expect(try lines("audit.1") == 4)
        #expect(try lines("audit") == 3)
    }

    @Test("a file that cannot be opened ends the start, and says which")
    func unusable() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/none/audit"
        #expect(throws: StartError.cannotWork(SystemError(code: ENOENT).text.after("--audit-log: \(path)"))) {
            try AuditLog(.file(path))
        }
    }

    @Test("a pipe that nobody reads holds up nothing, and --check finds what the start would")
    func refusedFiles() throws {
        let directory = try TemporaryDirectory()
        let pipe = directory.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for (path, code) in [(pipe, ENXIO), (directory.path, EISDIR), (directory.path + "/none/audit", ENOENT)] {
            let error = StartError.cannotWork(SystemError(code: code).text.after("--audit-log: \(path)"))
            #expect(throws: error) { try AuditLog(.file(path)) }
            #expect(throws: error) { try AuditFile.judge(path) }
        }
        try AuditFile.judge(directory.path + "/audit")
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/audit"))
    }

    @Test("a line that the system's log does not take holds up none of the others")
    func largeLine() throws {
        let directory = try TemporaryDirectory()
        let collector = try DatagramReceiver(directory.path + "/log")
        let lines = [UInt8](repeating: UInt8(ascii: "x"), count: 8 << 20) + Array("\nsmall\n".utf8)
        #expect(throws: LostLines.self) { try SystemLog(directory.path + "/log").write(lines) }
        #expect(try collector.next().hasSuffix("small"))
    }

    @Test("the system's log gets each line as a datagram of its own, and again after it was started anew")
    func systemLog() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        let log = AuditLog(SystemLog(path))
        var collector: DatagramReceiver? = try DatagramReceiver(path)
        func received() throws -> String {
            let text = try #require(try collector?.next())
            let line = try Regex(#"<85>[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d pspd\[\d+\]: (\{.*\})"#)
            #expect(text.wholeMatch(of: line) != nil, "\(text)")
            return text
        }
        for _ in 0..<2 { log.tell(entry, at: 0) }
        #expect(try received().contains(#""event":"audit""#))
        #expect(try received().contains(#""operator":"ann""#))
        collector = nil
        collector = try DatagramReceiver(path)
        log.tell(entry, at: 0)
        #expect(try received().contains(#""operator":"ann""#))
    }

    @Test("lines that find no room are left out, and a line says how many")
    func crowd() throws {
        let output = SlowOutput()
        let log = AuditLog(output, capacity: 1_000)
        log.tell(entry, at: 0)
        output.waitUntilWriting()
        for _ in 0..<100 { log.tell(entry, at: 0) }
        output.letGo()
        log.flush(atMost: .seconds(10))
        let lines = output.text.split(separator: "\n")
        let kept = lines.count { $0.contains(#""event":"audit""#) }
        #expect(kept < 10)
        #expect(lines.last == #"{"event":"lost","lines":\#(101 - kept)}"#)
    }
}

/// One that stands still until it is let go.
private final class SlowOutput: AuditOutput {
    private let written = Locked<[UInt8]>([])
    private let isWriting = DispatchSemaphore(value: 0)
    private let mayWrite = DispatchSemaphore(value: 0)

    var text: String { written.withLock { String(decoding: $0, as: UTF8.self) } }

    func write(_ lines: [UInt8]) throws(LostLines) {
        isWriting.signal()
        mayWrite.wait()
        mayWrite.signal()
        written.withLock { $0 += lines }
    }

    func reopen() throws(SystemError) {}
    func waitUntilWriting() { isWriting.wait() }
    func letGo() { mayWrite.signal() }
}
