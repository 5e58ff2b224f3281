/// What a loop is told once what it tells is committed. Posted to the loop.
package typealias Answer = @Sendable () -> Void

/// How long a caller should wait before it tries again (2302).
package let retryAfter: Duration = .seconds(1)

/// Waits for the answer of a thread that does not run tasks.
///
/// It comes exactly once: what is handed to a store is decided or failed, never both, whatever becomes of its transaction, and
/// what is handed in after the end is failed at once. Debug builds, which is what the tests are, check that; the others do
/// without the check, which takes an allocation and a lock for each push.
#if DEBUG
    @usableFromInline package typealias AnswerContinuation<Value> = CheckedContinuation<Value, Never>

    @inlinable
    package func withAnswer<Value: Sendable>(_ body: (AnswerContinuation<Value>) -> Void) async -> Value {
        await withCheckedContinuation(body)
    }
#else
    @usableFromInline package typealias AnswerContinuation<Value> = UnsafeContinuation<Value, Never>

    @inlinable
    package func withAnswer<Value: Sendable>(_ body: (AnswerContinuation<Value>) -> Void) async -> Value {
        await withUnsafeContinuation(body)
    }
#endif
