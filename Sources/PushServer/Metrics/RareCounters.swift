internal import CoreMetrics
internal import Logging

/// Counters of what happens seldom, by swift-metrics.
enum RareCounters {
    /// Lines of the log that were written, by level.
    static func lines(_ level: Logger.Level) -> Counter { lines[level] ?? critical }
    /// Lines of the log that were left out, since nobody read it fast enough.
    static let droppedLines = counter("psp_log_lines_dropped_total")
    /// Lines of the audit log that could not be written; the store has them.
    static let lostAuditLines = counter("psp_audit_lines_lost_total")
    /// The files of TLS were read again.
    static let reloads = counter("psp_tls_reloads_total", ("result", "ok"))
    /// They could not be used.
    static let failedReloads = counter("psp_tls_reloads_total", ("result", "failed"))

    private static let critical = counter("psp_log_lines_total", ("level", Logger.Level.critical.rawValue))
    private static let lines = Dictionary(
        uniqueKeysWithValues: Logger.Level.allCases.filter { $0 != .critical }.map { level in
            (level, counter("psp_log_lines_total", ("level", level.rawValue)))
        })

    /// Has all of them begin at zero: of a counter that appears with its first event no increase would be seen.
    static func begin() { _ = (lines(.info), droppedLines, lostAuditLines, reloads, failedReloads) }

    /// What they tell, by name.
    static func help(_ name: String) -> String {
        switch name {
        case "psp_log_lines_total": "Lines of the log, by level."
        case "psp_log_lines_dropped_total": "Lines of the log that were left out, since nobody read it fast enough."
        case "psp_audit_lines_lost_total":
            "Lines of the audit log that could not be written to its file or the system's log; the store has them."
        case "psp_tls_reloads_total":
            "How often the files of TLS were read again; failed: they cannot be used, the former are in force."
        default: "Counted by a library."
        }
    }

    private static func counter(_ name: String, _ labels: (String, String)...) -> Counter {
        Counter(label: name, dimensions: labels, factory: MetricsRegistry.process)
    }
}
