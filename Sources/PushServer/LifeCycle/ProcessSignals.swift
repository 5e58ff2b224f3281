internal import Glibc

/// The signals by which an operator speaks to the process, taken by waiting for them: no handler, so nothing runs at a moment
/// that nobody chose.
///
/// Make it on the main thread before any other thread exists: threads inherit that the signals are blocked, and so the one that
/// waits gets them.
struct ProcessSignals {
    enum Request: Equatable {
        /// SIGTERM or SIGINT, by its name: end.
        case stop(String)
        /// SIGHUP, which by custom asks a daemon to read its files again. It must not end the process.
        case hangUp
    }

    private var set = sigset_t()

    init() {
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Blocks the calling thread until one comes; one that came before counts.
    func wait() -> Request {
        var set = set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return request(number)
    }

    /// The same, but gives up after a time: `nil`.
    func wait(atMost limit: Duration) -> Request? {
        var set = set
        let (seconds, attoseconds) = limit.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        let number = sigtimedwait(&set, nil, &time)
        return number > 0 ? request(number) : nil
    }

    private func request(_ number: Int32) -> Request {
        switch number {
        case SIGHUP: .hangUp
        case SIGINT: .stop("SIGINT")
        default: .stop("SIGTERM")
        }
    }
}
