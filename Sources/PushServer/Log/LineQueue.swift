internal import Base
internal import Dispatch

/// Lines that are written on a thread of their own: whoever has one never waits for what reads them, which may be slow or stand
/// still. What waits is bounded; beyond that lines are left out, and counted.
final class LineQueue: Sendable {
    private struct State: Sendable {
        var waiting: [UInt8] = []
        var leftOut = 0
        var isWriting = false
    }

    private let capacity: Int
    private let queue: DispatchQueue
    private let state = Locked(State())
    private let write: @Sendable ([UInt8]) -> Void
    private let tellLeftOut: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - capacity: how many bytes may wait.
    ///   - write: writes whole lines, on the queue's thread.
    ///   - tellLeftOut: told there, behind the lines before them, that so many were left out.
    init(
        name: String, capacity: Int = 1 << 20, write: @escaping @Sendable ([UInt8]) -> Void,
        tellLeftOut: @escaping @Sendable (Int) -> Void
    ) {
        self.capacity = capacity
        queue = DispatchQueue(label: name)
        self.write = write
        self.tellLeftOut = tellLeftOut
    }

    /// Hands over one or more whole lines. Returns at once.
    /// - Returns: whether there was room.
    @discardableResult
    func append(_ lines: [UInt8]) -> Bool {
        let isFirst = state.withLock { state -> Bool? in
            guard state.waiting.count + lines.count <= capacity else {
                state.leftOut += 1
                return nil
            }
            state.waiting += lines
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFirst == true { queue.async { self.writeWaiting() } }
        return isFirst != nil
    }

    /// Does something on the queue's thread, between two lines.
    func execute(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

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
            if leftOut > 0 { tellLeftOut(leftOut) }
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
}
