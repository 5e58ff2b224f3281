internal import CSQLite
internal import Glibc
internal import Synchronization

/// A thread of the store's, with a name that `top -H` shows. Started once, joined once.
final class WorkerThread: Sendable {
    private let name: String
    private let handle = Mutex<pthread_t?>(nil)

    init(name: String) { self.name = name }

    /// Runs `body` on a new thread.
    func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                psp_name_thread(start.name)
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
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
