#if THREAD_SANITIZER
    internal import Glibc
#else
    public import Synchronization
#endif

/// A value that several threads share, behind a lock that is held for a few instructions.
///
/// `Synchronization.Mutex` is a futex that ThreadSanitizer does not know: it reports races where there are none. Build with
/// `-Xswiftc -DTHREAD_SANITIZER` beside `--sanitize=thread`, and the lock is a `pthread_mutex_t`, which it does know.
public final class Locked<State: Sendable>: Sendable {
    #if THREAD_SANITIZER
        // Safe: every access to both is between pthread_mutex_lock and pthread_mutex_unlock.
        private nonisolated(unsafe) var state: State
        // Safe: initialised once, then used by the pthread functions alone, which are made for concurrent use.
        private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>

        /// Wraps the value.
        public init(_ state: State) {
            self.state = state
            mutex = .allocate(capacity: 1)
            let result = pthread_mutex_init(mutex, nil)
            precondition(result == 0, "pthread_mutex_init: \(result)")
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }

        /// Runs `body` alone with the value. Do not call back into code that takes the same lock.
        public func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&state)
        }
    #else
        @usableFromInline let mutex: Mutex<State>

        /// Wraps the value.
        @inlinable
        public init(_ state: State) { mutex = Mutex(state) }

        /// Runs `body` alone with the value. Do not call back into code that takes the same lock.
        @inlinable
        public func withLock<R: Sendable, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
            try mutex.withLock { (state: inout sending State) throws(E) -> R in try body(&state) }
        }
    #endif
}
