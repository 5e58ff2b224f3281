internal import Base
internal import Libevent

/// The time that an end gives to callers and devices that may never finish. All steps of it share one.
final class GracePeriod: Sendable {
    private struct State: Sendable {
        var isOver = false
        /// What gives up on each step that is waited for, by the step's number.
        var waiting: [Int: @Sendable () -> Void] = [:]
        var steps = 0
    }

    private let state = Locked(State())

    /// Ends by ``end()``.
    init() {}

    /// Ends after `limit`, or sooner by ``end()``.
    convenience init(_ limit: Duration) {
        self.init()
        end(after: limit)
    }

    /// Ends it in `limit` from now, unless it ends sooner.
    func end(after limit: Duration) {
        Task.detached { [weak self] in
            // Nobody cancels this task, so the sleep does not throw. If it did, the period would end at once.
            do { try await Task.sleep(for: limit) } catch {}
            self?.end()
        }
    }

    /// Ends the period now: nothing is waited for any longer.
    func end() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for giveUp in waiting.values { giveUp() }
    }

    /// Runs `body` when it ends; at once where it has.
    func whenOver(_ body: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.steps += 1
            if !state.isOver { state.waiting[state.steps] = body }
            return state.isOver
        }
        if isOver { body() }
    }

    /// Whether it has ended.
    var isOver: Bool { state.withLock(\.isOver) }

    /// Returns after `time`, or when the period ends.
    func pause(_ time: Duration) async {
        // As above: the sleep does not throw, and if it did, the pause would end at once.
        _ = await wait { do { try await Task.sleep(for: time) } catch {} }
    }

    /// Runs `work` and waits for its end, at most until the period ends; `work` itself is not stopped.
    /// - Returns: whether `work` has ended.
    func wait(for work: @escaping @Sendable () async -> Void) async -> Bool {
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
