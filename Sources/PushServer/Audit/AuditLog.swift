internal import Base
internal import JSON
internal import Logging
internal import Push
internal import PushAPI

/// The audit log as JSON lines, for whoever collects them: to a file, or to the system's log. The store has it all, and is what
/// counts; this never holds up anybody, and leaves lines out where it cannot write them.
final class AuditLog: Sendable {
    private let output: any AuditOutput
    private let queue: LineQueue

    /// - Throws: where the file cannot be opened.
    convenience init(_ destination: AuditDestination) throws(StartError) {
        switch destination {
        case .file(let path): self.init(try AuditFile(path))
        case .systemLog: self.init(SystemLog())
        }
    }

    /// - Parameter capacity: how many bytes may wait.
    init(_ output: any AuditOutput, capacity: Int = 1 << 20) {
        self.output = output
        let trouble = Locked(RareLine())
        let log = Logger(label: "audit")
        let lose: @Sendable (Int, String) -> Void = { lines, cause in
            RareCounters.lostAuditLines.increment(by: lines)
            guard let leftOut = trouble.withLock({ $0.admit() }) else { return }
            log.warning(
                "lines of the audit log are lost; the store has them",
                metadata: ["cause": "\(cause)", "unreported": "\(leftOut)"])
        }
        queue = LineQueue(name: "pspd.audit", capacity: capacity) { bytes in
            do throws(LostLines) {
                try output.write(bytes)
            } catch {
                lose(error.count, "\(error.cause)")
            }
        } tellLeftOut: { count in
            lose(count, "they were not written fast enough")
            do throws(LostLines) {
                try output.write(Self.line("lost") { $0.member("lines", count) })
            } catch {
                // It was told to the log already.
            }
        }
    }

    /// An operator did something. Returns at once.
    /// - Parameter time: Unix milliseconds.
    func tell(_ entry: AuditEntry, at time: Int64) {
        queue.append(
            Self.line("audit") { json in
                json.member("time", UTCTime.rfc3339(time))
                json.members(of: entry)
            })
    }

    /// So many were refused; their minutes are of store time.
    /// - Parameter ahead: how far the wall clock is ahead of that, in milliseconds.
    func tell(_ counts: [RefusalCount], ahead: Int64) {
        for count in counts {
            let seen = count.minute * 60_000 + ahead
            queue.append(
                Self.line("refusals") { json in
                    json.member("minute", UTCTime.rfc3339(seen - seen % 60_000))
                    json.members(of: count)
                })
        }
    }

    /// The file was moved away: what follows goes to a new one.
    func reopen() {
        let output = output
        queue.execute {
            do throws(SystemError) {
                try output.reopen()
            } catch {
                Logger(label: "audit").error(
                    "the audit log cannot be opened again; the former file is written on", metadata: ["cause": "\(error)"])
            }
        }
    }

    /// Waits until what was told is written, but no longer than `limit`.
    func flush(atMost limit: Duration) { queue.flush(atMost: limit) }

    private static func line(_ event: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("event", event)
            members(&json)
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

/// Where lines of the audit log go. Called by one thread.
protocol AuditOutput: Sendable {
    /// Writes whole lines; it may wait. One that cannot be written holds up none of the others.
    func write(_ lines: [UInt8]) throws(LostLines)
    /// What follows goes to where its name leads now.
    func reopen() throws(SystemError)
}

/// Some lines could not be written.
struct LostLines: Error {
    /// How many.
    let count: Int
    /// Why the last of them could not.
    let cause: SystemError
}
