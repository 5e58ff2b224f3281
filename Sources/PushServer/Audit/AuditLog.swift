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
    private let node: NodeName?

    /// - Parameter node: which one writes them, where others write such lines of the same store.
    /// - Throws: where the file cannot be opened.
    convenience init(_ destination: AuditDestination, node: NodeName? = nil) throws(StartError) {
        switch destination {
        case .file(let path):
            let file = try AuditFile(path)
            self.init(file, node: node, lost: file.wasTorn ? 1 : 0)
        case .systemLog: self.init(SystemLog(), node: node)
        }
    }

    /// - Parameters:
    ///   - node: see above.
    ///   - capacity: how many bytes may wait.
    ///   - lost: how many lines are lost already.
    init(_ output: any AuditOutput, node: NodeName? = nil, capacity: Int = 1 << 20, lost: Int = 0) {
        self.output = output
        self.node = node
        let writer = AuditLines(to: output, lost: lost)
        queue = LineQueue(name: "pspd.audit", capacity: capacity) { bytes in
            writer.write(bytes)
        } tellLeftOut: { count in
            writer.lose(count, "they were not written fast enough")
            writer.tellLost()
        }
        if lost > 0 { queue.execute { writer.tellLost() } }
    }

    /// An operator did something. Returns at once.
    /// - Parameter time: Unix milliseconds.
    func tell(_ entry: AuditEntry, at time: Int64) {
        queue.append(
            Self.line("audit") { [node] json in
                json.member("time", UTCTime.rfc3339(time))
                json.member("node", ifPresent: node?.text)
                json.members(of: entry)
            })
    }

    /// So many were refused; their minutes are of store time.
    /// - Parameter ahead: how far the wall clock is ahead of that, in milliseconds.
    func tell(_ counts: [RefusalCount], ahead: Int64) {
        for count in counts {
            let seen = count.minute * 60_000 + ahead
            queue.append(
                Self.line("refusals") { [node] json in
                    json.member("minute", UTCTime.rfc3339(seen - seen % 60_000))
                    json.member("node", ifPresent: node?.text)
                    json.members(of: count)
                })
        }
    }

    /// The file was moved away: what follows goes to a new one.
    /// - Parameter cause: for the log.
    func reopen(because cause: String) {
        let output = output
        queue.execute {
            let log = Logger(label: "audit")
            do throws(SystemError) {
                try output.reopen()
                log.notice("the audit log was opened anew", metadata: ["cause": "\(cause)"])
            } catch {
                log.error(
                    "the audit log cannot be opened anew; the former file is written on", metadata: ["cause": "\(error)"])
            }
        }
    }

    /// Waits until what was told is written, but no longer than `limit`.
    func flush(atMost limit: Duration) { queue.flush(atMost: limit) }

    static func line(_ event: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
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
