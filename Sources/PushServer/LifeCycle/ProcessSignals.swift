internal import Glibc

/// The signals by which an operator speaks to the process. The main thread waits for them: there is no signal handler, so nothing
/// interrupts another thread's work.
///
/// Make it on the main thread before any other thread exists: every later thread inherits that the signals are blocked, so only
/// the thread that waits receives them.
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

    /// Blocks the calling thread until a signal comes; one that came before is taken at once.
    func wait() -> Request {
        var set = set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return request(number)
    }

    /// The same, but `nil` when none has come within that time.
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
