/// Waits for an answer of the writer or of a reader.
///
/// It comes exactly once: a job is decided or failed, never both, whatever becomes of its transaction, and what is handed in after the
/// end is failed at once. Debug builds, which is what the tests are, check that; the others do without the check, which takes an
/// allocation and a lock for each push.
#if DEBUG
    typealias AnswerContinuation<Value> = CheckedContinuation<Value, Never>

    func withAnswer<Value: Sendable>(_ body: (AnswerContinuation<Value>) -> Void) async -> Value {
        await withCheckedContinuation(body)
    }
#else
    typealias AnswerContinuation<Value> = UnsafeContinuation<Value, Never>

    func withAnswer<Value: Sendable>(_ body: (AnswerContinuation<Value>) -> Void) async -> Value {
        await withUnsafeContinuation(body)
    }
#endif
