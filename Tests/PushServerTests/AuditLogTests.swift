import Base
import Foundation
import JSON
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
        log.reopen(because: "SIGHUP")
        log.flush(atMost: .seconds(10))
        #expect(try lines("audit.1") == 4)
        for _ in 0..<2 { log.tell(entry, at: 0) }
        log.reopen(because: "SIGHUP")
        log.tell(entry, at: 0)
        log.flush(atMost: .seconds(10))
        #expect(try lines("audit.1") == 4)
        #expect(try lines("audit") == 3)
    }

    @Test(
        "a line that a crash has torn is taken away and told of, so that the file stays lines of JSON",
        arguments: [#"{"event":"audit","time":"20"#, #"{"ev"#, "\0\0\0", "{\"event\":\"audit\"\0\0"])
    func torn(rest: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/audit"
        let whole = "{\"event\":\"audit\",\"code\":0}\n"
        for before in ["", whole] {
            try (before + rest).write(toFile: path, atomically: false, encoding: .utf8)
            let log = try AuditLog(.file(path))
            log.tell(entry, at: 0)
            log.flush(atMost: .seconds(10))
            let lines = try directory.text(of: "audit").split(separator: "\n")
            #expect(lines.dropLast() == (before.isEmpty ? [] : [whole.dropLast()]) + [#"{"event":"lost","lines":1}"#])
            #expect(try lines.last.map { try JSONDocument(parsing: Array($0.utf8)).root["action"]?.string } == "device.read")
        }
    }

    @Test("what somebody else has left without a line's end stays, and the next line is one of its own")
    func foreignEnd() throws {
        let directory = try TemporaryDirectory()
        try "something".write(toFile: directory.path + "/audit", atomically: false, encoding: .utf8)
        let log = try AuditLog(.file(directory.path + "/audit"))
        log.tell(entry, at: 0)
        log.flush(atMost: .seconds(10))
        #expect(try directory.text(of: "audit").hasPrefix("something\n{\"event\":\"audit\""))
    }

    @Test("where nodes share the store each line names the one that has written it")
    func nodes() throws {
        let directory = try TemporaryDirectory()
        let log = try AuditLog(.file(directory.path + "/audit"), node: NodeName("n1"))
        log.tell(entry, at: 0)
        log.tell([RefusalCount(RefusalCount.Key(.callers, name: nil, client: nil, code: 2005), minute: 1, count: 2)], ahead: 0)
        log.flush(atMost: .seconds(10))
        let lines = try directory.text(of: "audit").split(separator: "\n")
        #expect(lines.map { $0.contains(#"Z","node":"n1","#) } == [true, true])
    }

    @Test("lines that could not be written are told of by the first one that can")
    func unwritable() throws {
        let output = FailingOutput()
        let log = AuditLog(output)
        for _ in 0..<2 {
            log.tell(entry, at: 0)
            log.flush(atMost: .seconds(10))
        }
        output.heal()
        log.tell(entry, at: 0)
        log.flush(atMost: .seconds(10))
        #expect(output.text.hasPrefix(#"{"event":"lost","lines":2}"# + "\n{\"event\":\"audit\""))
        #expect(output.text.split(separator: "\n").count == 2)
    }

    @Test("a file that the server has for something else is refused, by whatever name")
    func ownFiles() throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        try FileManager.default.createDirectory(atPath: data + "/beside", withIntermediateDirectories: true)
        for name in ["psp.db", "key", "other"] { try Data().write(to: URL(fileURLWithPath: "\(data)/\(name)")) }
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/link", withDestinationPath: data + "/psp.db")
        #expect(link(data + "/key", directory.path + "/hard") == 0)
        var configuration = ServerConfiguration()
        configuration.store = .sqlite(directory: data)
        configuration.tls.key = data + "/key"
        configuration.tls.ticketKeys = directory.path + "/none"
        configuration.settingsFile = directory.path + "/other.yaml"
        func refusal(_ path: String, isStart: Bool = false) -> String? {
            configuration.auditDestination = .file(path)
            do throws(StartError) {
                try AuditFile.refuseOwnFiles(of: configuration, isStart: isStart)
                return nil
            } catch {
                return error.text.english
            }
        }
        let names = [
            "data/psp.db", "data/beside/../psp.db-wal", "data/psp.mark", "data/psp.moved", "data/pspd.json", "data/pspd.lock",
            "data/admin.token",
            "data/psp.db.new", "link",
        ]
        for name in names { #expect(refusal("\(directory.path)/\(name)")?.contains("data directory") == true, "\(name)") }
        #expect(refusal(data + "/key")?.contains("--tls-key") == true)
        #expect(refusal(directory.path + "/hard")?.contains("--tls-key") == true)
        #expect(refusal(data + "/../none")?.contains("--tls-ticket-keys") == true)
        #expect(refusal(directory.path + "/other.yaml")?.contains("--config") == true)
        for name in ["data/audit", "data/other", "audit", "nowhere/psp.db"] {
            #expect(refusal("\(directory.path)/\(name)", isStart: true) == nil, "\(name)")
        }
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

/// One that cannot write until it is healed.
private final class FailingOutput: AuditOutput {
    private let state = Locked((isHealed: false, written: [UInt8]()))

    var text: String { state.withLock { String(decoding: $0.written, as: UTF8.self) } }
    func heal() { state.withLock { $0.isHealed = true } }
    func reopen() throws(SystemError) {}

    func write(_ lines: [UInt8]) throws(LostLines) {
        try state.withLock { state throws(LostLines) in
            guard state.isHealed else {
                throw LostLines(count: lines.count { $0 == UInt8(ascii: "\n") }, cause: SystemError(code: ENOSPC))
            }
            state.written += lines
        }
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
