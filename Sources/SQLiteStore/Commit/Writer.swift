internal import Base
internal import Push
internal import StoreCore

/// The one thread that changes the store. While it commits, jobs collect; one fsync answers them all.
final class Writer: Sendable {
    private let queue = JobQueue()
    private let thread = WorkerThread(name: "psp-store", scheduling: .prompt)
    private let state = Locked<Health>(.serving)
    private let checkpointer: Checkpointer
    private let options: SQLiteStore.Options

    init(path: String, options: SQLiteStore.Options) {
        self.options = options
        checkpointer = Checkpointer(path: path)
    }

    /// Jobs that were handed in and not taken yet.
    var waitingJobs: Int { queue.count }

    var health: Health { state.withLock { $0 } }

    /// - Parameter decisions: made on the writer's thread, and never leave it.
    func start(
        _ decisions: @escaping @Sendable () throws(SQLiteError) -> Decisions,
        opened: @escaping @Sendable (SQLiteError?) -> Void
    ) {
        thread.start { [self] in
            let loop: WriterLoop
            do throws(SQLiteError) {
                loop = try WriterLoop(queue, try decisions(), checkpointer, state, options)
            } catch {
                return opened(error)
            }
            opened(nil)
            loop.run()
        }
    }

    /// Hands a job in; if the store is closed already, the job's failure is answered at once.
    func submit(_ job: Job) {
        if !queue.append(job) { job.fail(.unavailable(retryAfter: retryAfter))?() }
    }

    /// Ends when everything that was handed in is decided and on the disk.
    func close() {
        queue.close()
        thread.join()
        checkpointer.close()
    }
}
