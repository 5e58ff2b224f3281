internal import CLibevent
internal import Glibc

/// What a loop sleeps on, and what wakes it. The loop and everybody who is about to wake it hold it: the descriptor closes with
/// the last of them, so that it cannot be another file's when somebody comes late.
final class Alarm: Sendable {
    /// An eventfd.
    let descriptor: Int32

    init() throws(LibeventError) {
        descriptor = ps_eventfd()
        guard descriptor >= 0 else { throw .lastSystemError("eventfd") }
    }

    deinit { close(descriptor) }

    /// Wakes the loop. From any thread.
    func ring() {
        let result = ps_eventfd_wake(descriptor)
        // It can only fail when the counter is full, and then the loop is awake.
        assert(result == 0 || errno == EAGAIN)
    }
}
