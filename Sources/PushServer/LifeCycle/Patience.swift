internal import Base
internal import Libevent

/// How long a shutdown waits for what may never come: a slow caller, a device that does not read. All its steps share one patience.
final class Patience: Sendable {
    private struct State: Sendable {
        var isOver = false
        /// By the order of their begin, so that a step that ended can be taken out.
        var waiting: [Int: @Sendable () -> Void] = [:]
        var steps = 0
    }

    private let state = Locked(State())

    /// Runs out after `limit`, or sooner by ``runOut()``.
    init(_ limit: Duration) {
        Task.detached { [weak self] in
            // Never cancelled, so it cannot throw; were it to, patience would run out at once.
            do { try await Task.sleep(for: limit) } catch {}
            self?.runOut()
        }
    }

    /// Waits no longer, for anything.
    func runOut() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for giveUp in waiting.values { giveUp() }
    }

    /// Runs `work` and waits for its end, or until patience runs out; then `work` goes on by itself.
    /// - Returns: whether `work` has ended.
    func covers(_ work: @escaping @Sendable () async -> Void) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = OneAnswer(continuation)
            let (step, isOver) = state.withLock { state in
                state.steps += 1
                if !state.isOver { state.waiting[state.steps] = { answer.give(false) } }
                return (state.steps, state.isOver)
            }
            Task.detached {
                await work()
                answer.give(true)
                self.state.withLock { $0.waiting[step] = nil }
            }
            if isOver { answer.give(false) }
        }
    }
}

/// A continuation that two may resume, of whom the first counts.
private final class OneAnswer: Sendable {
    private let continuation: Locked<CheckedContinuation<Bool, Never>?>

    init(_ continuation: CheckedContinuation<Bool, Never>) {
        self.continuation = Locked(continuation)
    }

    func give(_ answer: Bool) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(returning: answer)
    }
}
