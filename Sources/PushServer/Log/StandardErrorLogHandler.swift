internal import Base
internal import Glibc
internal import Logging

/// Log lines on standard error, one `write` each, so that lines of several loops never mix.
struct StandardErrorLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String
    private let json: Bool

    /// - Parameter format: ``LogFormat/automatic`` is text when standard error is a terminal.
    init(label: String, level: Logger.Level, format: LogFormat) {
        self.label = label
        logLevel = level
        json =
            switch format {
            case .text: false
            case .json: true
            case .automatic: isatty(STDERR_FILENO) == 0
            }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        let line = LogLine(
            time: WallClock.milliseconds, level: event.level, label: label, message: event.message.description, metadata: all)
        do throws(SystemError) {
            try writeAll(Array((json ? line.json : line.text).utf8), to: STDERR_FILENO)
        } catch {
            // A log that cannot be written (a closed pipe, a full disk) must not end the server, and there is nowhere to say so.
        }
    }
}
