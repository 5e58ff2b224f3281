internal import Base
internal import Glibc

/// A thread of the store's, with a name that `top -H` shows. Started once, joined once.
final class WorkerThread: Sendable {
    private let name: String
    private let scheduling: Scheduling
    private let handle = Locked<pthread_t?>(nil)

    /// How a thread stands to others.
    enum Scheduling {
        /// As any other.
        case ordinary
        /// Little to do and somebody waits for it: when it wakes it should run at once. (Measured on two cores that are busy with
        /// other threads: a push's p99 6.5 to 7.5 ms without, 5.4 to 5.9 ms with it.)
        case prompt
        /// Long reading: on a machine with few cores the loops and the writer must not wait for a time slice of it.
        case givesWayOnProcessor
        /// Writing in bulk: the log's next sync must not queue behind it.
        case givesWayOnDisk
    }

    init(name: String, scheduling: Scheduling = .ordinary) {
        self.name = name
        self.scheduling = scheduling
    }

    /// Runs `body` on a new thread.
    func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Start(name: name, scheduling: scheduling, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                CurrentThread.setName(start.name)
                switch start.scheduling {
                case .ordinary: break
                case .prompt: CurrentThread.preferShortSlices()
                case .givesWayOnProcessor: CurrentThread.yieldProcessor()
                case .givesWayOnDisk: CurrentThread.yieldDisk()
                }
                start.body()
                return nil
            }, context.toOpaque())
        // Only at start, for want of memory or of threads: there is no store without it.
        precondition(code == 0, "no thread for the store: error \(code)")
        handle.withLock { $0 = thread }
    }

    /// Waits for its end.
    func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Start: Sendable {
        let name: String
        let scheduling: Scheduling
        let body: @Sendable () -> Void
        init(name: String, scheduling: Scheduling, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.scheduling = scheduling
            self.body = body
        }
    }
}
