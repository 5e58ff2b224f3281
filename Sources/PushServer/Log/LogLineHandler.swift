internal import Base
internal import Logging

/// Makes log lines of events, and hands them to the writer.
struct LogLineHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// The process's, unless this logger was given its own.
    var logLevel: Logger.Level {
        get { own ?? running.level }
        set { own = newValue }
    }
    private var own: Logger.Level?
    private let running: RunningLevel
    private let label: String
    private let writer: LogWriter

    init(label: String, level: RunningLevel, writer: LogWriter) {
        self.label = label
        self.writer = writer
        running = level
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
        RareCounters.lines(event.level).increment()
        writer.write(writer.isJSON ? line.json : line.text)
    }
}
