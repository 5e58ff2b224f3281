internal import CSQLite
internal import Glibc
internal import Synchronization

/// A thread of the store's, with a name that `top -H` shows. Started once, joined once.
final class WorkerThread: Sendable {
    private let name: String
    private let courtesy: Courtesy
    private let handle = Mutex<pthread_t?>(nil)

    /// To what a thread gives others the way. What serves callers and devices gives it to nobody.
    enum Courtesy {
        case none
        /// Long reading: on a machine with few cores the loops and the writer must not wait for a time slice of it.
        case processor
        /// Writing in bulk: the log's next sync must not queue behind it.
        case disk
    }

    init(name: String, givesWay courtesy: Courtesy = .none) {
        self.name = name
        self.courtesy = courtesy
    }

    /// Runs `body` on a new thread.
    func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Start(name: name, courtesy: courtesy, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                psp_name_thread(start.name)
                switch start.courtesy {
                case .none: break
                case .processor: psp_yield_processor()
                case .disk: psp_yield_disk()
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
        let courtesy: Courtesy
        let body: @Sendable () -> Void
        init(name: String, courtesy: Courtesy, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.courtesy = courtesy
            self.body = body
        }
    }
}
