internal import Base
internal import Glibc
internal import Logging

/// Writes log lines to a descriptor, and nobody waits for it: see ``LineQueue``. Where lines were left out, a line says how many.
final class LogWriter: Sendable {
    /// Whether lines are JSON objects.
    let isJSON: Bool
    private let queue: LineQueue

    /// - Parameters:
    ///   - format: ``LogFormat/automatic`` is text when the descriptor is a terminal.
    ///   - capacity: how many bytes may wait.
    init(to descriptor: Int32, format: LogFormat, capacity: Int = 1 << 20) {
        let isJSON =
            switch format {
            case .text: false
            case .json: true
            case .automatic: isatty(descriptor) == 0
            }
        self.isJSON = isJSON
        queue = LineQueue(name: "pspd.log", capacity: capacity) { bytes in
            Self.write(bytes, to: descriptor)
        } tellLeftOut: { count in
            let line = LogLine(
                time: WallClock.milliseconds, level: .warning, label: "pspd",
                message: "the log was not read fast enough: lines were left out", metadata: ["lines": "\(count)"])
            Self.write(Array((isJSON ? line.json : line.text).utf8), to: descriptor)
        }
    }

    /// Hands over one or more whole lines. Returns at once.
    func write(_ text: String) {
        if !queue.append(Array(text.utf8)) { RareCounters.droppedLines.increment() }
    }

    /// Waits until what was handed over is written, but no longer than `limit`.
    func flush(atMost limit: Duration) { queue.flush(atMost: limit) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        do throws(SystemError) {
            try writeAll(bytes, to: descriptor)
        } catch {
            // A log that cannot be written (a closed pipe, a full disk) must not end the server, and there is nowhere to say so.
        }
    }
}
