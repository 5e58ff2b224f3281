internal import Base

/// A continuation that several may resume. The first one counts.
final class OneAnswer<Answer: Sendable>: Sendable {
    private let continuation: Locked<CheckedContinuation<Answer, Never>?>

    init(_ continuation: CheckedContinuation<Answer, Never>) {
        self.continuation = Locked(continuation)
    }

    func give(_ answer: Answer) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(returning: answer)
    }
}

/// Waits for an answer, but not for ever. What was asked is not told that nobody waits any more.
/// - Returns: `nil` if it has not come in time.
func answer<Answer: Sendable>(
    within limit: Duration, of work: @escaping @Sendable () async -> Answer?
) async -> Answer? {
    await withCheckedContinuation { continuation in
        let answer = OneAnswer(continuation)
        let patience = Task.detached {
            // Cancelled when it is not needed any more.
            do { try await Task.sleep(for: limit) } catch {}
            answer.give(nil)
        }
        Task.detached {
            answer.give(await work())
            patience.cancel()
        }
    }
}
