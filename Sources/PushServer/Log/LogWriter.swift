internal import Base
internal import Dispatch
internal import Glibc
internal import Logging

/// Writes log lines to a descriptor on a thread of its own: whoever logs never waits for the log's reader, who may be slow or
/// stand still. What waits is bounded; beyond that lines are left out, and a line says how many.
final class LogWriter: Sendable {
    private struct State: Sendable {
        var waiting: [UInt8] = []
        var leftOut = 0
        var isWriting = false
    }

    /// Whether lines are JSON objects.
    let isJSON: Bool
    private let descriptor: Int32
    private let capacity: Int
    private let queue = DispatchQueue(label: "pspd.log")
    private let state = Locked(State())

    /// - Parameters:
    ///   - format: ``LogFormat/automatic`` is text when the descriptor is a terminal.
    ///   - capacity: how many bytes may wait.
    init(to descriptor: Int32, format: LogFormat, capacity: Int = 1 << 20) {
        self.descriptor = descriptor
        self.capacity = capacity
        isJSON =
            switch format {
            case .text: false
            case .json: true
            case .automatic: isatty(descriptor) == 0
            }
    }

    /// Hands over one or more whole lines. Returns at once.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        let isFirst = state.withLock { state -> Bool? in
            guard state.waiting.count + bytes.count <= capacity else {
                state.leftOut += 1
                return nil
            }
            state.waiting += bytes
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFirst == nil { RareCounters.droppedLines.increment() }
        if isFirst == true { queue.async { self.writeWaiting() } }
    }

    /// Waits until what was handed over is written, but no longer than `limit`.
    func flush(atMost limit: Duration) {
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        let (seconds, attoseconds) = limit.components
        _ = isDone.wait(timeout: .now() + Double(seconds) + Double(attoseconds) / 1e18)
    }

    private func writeWaiting() {
        while let (bytes, leftOut) = removeWaiting() {
            write(bytes)
            guard leftOut > 0 else { continue }
            let line = LogLine(
                time: WallClock.milliseconds, level: .warning, label: "pspd",
                message: "the log was not read fast enough: lines were left out", metadata: ["lines": "\(leftOut)"])
            write(Array((isJSON ? line.json : line.text).utf8))
        }
    }

    private func removeWaiting() -> (bytes: [UInt8], leftOut: Int)? {
        state.withLock { state in
            guard !state.waiting.isEmpty || state.leftOut > 0 else {
                state.isWriting = false
                return nil
            }
            defer { state = State(isWriting: true) }
            return (state.waiting, state.leftOut)
        }
    }

    private func write(_ bytes: [UInt8]) {
        do throws(SystemError) {
            try writeAll(bytes, to: descriptor)
        } catch {
            // A log that cannot be written (a closed pipe, a full disk) must not end the server, and there is nowhere to say so.
        }
    }
}
