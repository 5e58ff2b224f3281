internal import Base
internal import Glibc
internal import StoreCore

/// Jobs for the writer, from any thread, in order.
///
/// `@unchecked Sendable`: everything mutable is touched under `mutex` only, and the two C objects live as long as the queue.
final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    /// When the first of those that are there came, in monotonic nanoseconds, and how long the first of those that were
    /// taken last had waited.
    private var firstCame: Int64 = 0
    private var waited: Int64 = 0
    /// When the first of those came that the writer has in hand; 0: it has none.
    private var inHandCame: Int64 = 0
    /// Whether the writer keeps up with what comes.
    private var lateness: Lateness
    /// How many jobs the writer waits for; `nil` when it does not wait.
    private var wanted: Int?
    private var isClosed = false
    /// Longer than this, in nanoseconds, no job waits whose patience is bounded.
    private let patience: Int64

    /// What becomes of a job that is handed in.
    enum Admission {
        /// It will be decided.
        case taken
        /// Not now: what came before it has waited for too long.
        case late
        /// Never.
        case closed
    }

    /// - Parameters:
    ///   - limits: from when on the writer is late.
    ///   - patience: for how long a job waits whose patience is bounded, in nanoseconds.
    init(_ limits: Lateness.Limits = Lateness.Limits(), patience: Int64 = .max) {
        lateness = Lateness(limits)
        self.patience = patience
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(filled, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_mutex_destroy(mutex)
        filled.deallocate()
        mutex.deallocate()
    }

    /// Hands a job in.
    func append(_ job: Job) -> Admission {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return .closed }
        var job = job
        if job.isPatienceBounded {
            job.came = MonotonicClock.nanoseconds
            // Whoever comes now would wait as long at least.
            let oldest = inHandCame > 0 ? inHandCame : jobs.isEmpty ? job.came : firstCame
            if job.came - oldest > patience { return .late }
        }
        if jobs.isEmpty { firstCame = job.came > 0 ? job.came : MonotonicClock.nanoseconds }
        jobs.append(job)
        // One wake is enough: the writer takes all that is there.
        if let wanted, jobs.count >= wanted {
            self.wanted = nil
            pthread_cond_signal(filled)
        }
        return .taken
    }

    /// Whether a job has waited for too long to be decided at that time.
    func isLate(_ job: Job, at now: Int64) -> Bool { job.isPatienceBounded && now - job.came > patience }

    /// Jobs that wait.
    var count: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return jobs.count
    }

    /// How long the first of those that were taken last had waited, in nanoseconds: that is the longest time of them.
    var longestWait: Int64 {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return waited
    }

    /// How many jobs wait, how long the oldest has waited that is not decided, in nanoseconds, and whether the writer is too
    /// late with them.
    var backlog: (waiting: Int, longestWait: Int64, isBehind: Bool) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let now = MonotonicClock.nanoseconds
        let oldest = inHandCame > 0 ? inHandCame : jobs.isEmpty ? now : firstCame
        lateness.observe(now - oldest, at: now)
        return (jobs.count, now - oldest, lateness.isBehind)
    }

    /// What the writer had in hand is decided: whoever comes now does not wait for it any more. Told before it is answered, or
    /// who learns of the answer and asks the next thing would be refused for what is over.
    func finished() {
        pthread_mutex_lock(mutex)
        inHandCame = 0
        pthread_mutex_unlock(mutex)
    }

    /// No more jobs; those that are there still run.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        wanted = nil
        pthread_cond_signal(filled)
        pthread_mutex_unlock(mutex)
    }

    /// Moves all that is there to `taken`, which is empty, waiting at most so many nanoseconds for the first.
    /// - Returns: `false` when the queue is closed and empty.
    func drain(into taken: inout [Job], within nanoseconds: Int64) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        inHandCame = 0
        if jobs.isEmpty { wait(for: 1, within: nanoseconds) }
        if jobs.isEmpty && isClosed { return false }
        if jobs.isEmpty {
            waited = 0
        } else {
            let now = MonotonicClock.nanoseconds
            waited = now - firstCame
            inHandCame = firstCame
            lateness.observe(waited, at: now)
        }
        // Two arrays take turns: a new one each time is so large that the allocator tidies up before it makes one.
        swap(&taken, &jobs)
        return true
    }

    /// Waits until so many are there, at most so many nanoseconds, and adds all that is there.
    func gather(_ count: Int, into taken: inout [Job], within nanoseconds: Int64) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if jobs.count < count { wait(for: count, within: nanoseconds) }
        taken += jobs
        jobs.removeAll(keepingCapacity: true)
    }

    /// Asleep, whatever it waits for: a job that comes before there are enough wakes nobody.
    private func wait(for count: Int, within nanoseconds: Int64) {
        guard !isClosed, nanoseconds > 0 else { return }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_nsec += Int(nanoseconds % 1_000_000_000)
        deadline.tv_sec += Int(nanoseconds / 1_000_000_000) + deadline.tv_nsec / 1_000_000_000
        deadline.tv_nsec %= 1_000_000_000
        wanted = count
        while wanted != nil, pthread_cond_timedwait(filled, mutex, &deadline) == 0 {}
        wanted = nil
    }
}
