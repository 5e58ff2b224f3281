internal import Base
internal import Logging

/// Writes lines of the audit log, and tells how many are lost: the server's log at once, whoever reads the lines as soon as one
/// can be written again. Used by one thread after the other.
final class AuditLines: Sendable {
    private let output: any AuditOutput
    private let log = Logger(label: "audit")
    private let trouble = Locked(RareLine())
    /// Of which no line tells yet.
    private let untold: Locked<Int>

    init(to output: any AuditOutput, lost: Int) {
        self.output = output
        untold = Locked(lost)
    }

    /// Writes whole lines.
    func write(_ lines: [UInt8]) {
        tellLost()
        do throws(LostLines) {
            try output.write(lines)
        } catch {
            lose(error.count, "\(error.cause)")
        }
    }

    /// So many are lost.
    func lose(_ count: Int, _ cause: String) {
        RareCounters.lostAuditLines.increment(by: count)
        untold.withLock { $0 += count }
        guard let leftOut = trouble.withLock({ $0.admit() }) else { return }
        log.warning(
            "lines of the audit log are lost; the store has them", metadata: ["cause": "\(cause)", "unreported": "\(leftOut)"])
    }

    /// Writes a line that tells of them, if there are any. Where it cannot be written, the next one tells.
    func tellLost() {
        let count = untold.withLock { $0 }
        guard count > 0 else { return }
        do throws(LostLines) {
            try output.write(AuditLog.line("lost") { $0.member("lines", count) })
            untold.withLock { $0 -= count }
        } catch {
            // The server's log knows of it.
        }
    }
}
