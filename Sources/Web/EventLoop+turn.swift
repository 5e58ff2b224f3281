public import Libevent

extension EventLoop {
    /// Lets the loop turn: what is ready and what is queued has its time, then the caller goes on.
    ///
    /// Not `Task.yield()`: that goes by way of the global pool, and a loop's work must not wait for a thread of it.
    public func nextTurn() async {
        await withUnsafeContinuation { continuation in
            execute { continuation.resume() }
        }
    }
}
