internal import Glibc

/// SIGTERM and SIGINT, taken by waiting for them: no handler, so nothing runs at a moment that nobody chose.
///
/// Make it on the main thread before any other thread exists: threads inherit that the signals are blocked, and so the one that
/// waits gets them.
struct StopSignals {
    private var set = sigset_t()

    init() {
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Blocks the calling thread until one comes; one that came before counts.
    func wait() -> String {
        var set = set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return name(number)
    }

    /// The same, but gives up after a time: `nil`.
    func wait(atMost limit: Duration) -> String? {
        var set = set
        let (seconds, attoseconds) = limit.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        let number = sigtimedwait(&set, nil, &time)
        return number > 0 ? name(number) : nil
    }

    private func name(_ number: Int32) -> String { number == SIGTERM ? "SIGTERM" : "SIGINT" }
}
