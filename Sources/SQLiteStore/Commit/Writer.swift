internal import Base
internal import Push
internal import StoreCore

/// The one thread that changes the store. While it commits, jobs collect; one fsync answers them all.
final class Writer: Sendable {
    private let queue: JobQueue
    private let thread = WorkerThread(name: "psp-store", scheduling: .prompt)
    private let state = Locked<Health>(.serving)
    private let holds = Locked(HoldTimes())
    private let path: String
    private let checkpointer: Checkpointer
    private let options: SQLiteStore.Options
    /// What could not be written at the end.
    private let loss = Locked<String?>(nil)

    init(path: String, _ checkpointer: Checkpointer, options: SQLiteStore.Options) {
        self.path = path
        self.options = options
        queue = JobQueue(options.tuning.lateness, patience: options.longestWait * 1_000_000)
        self.checkpointer = checkpointer
    }

    var status: StoreStatus {
        let backlog = queue.backlog
        // What ails it says more than that it is late.
        let health = state.withLock { $0 }
        return StoreStatus(
            health: health == .serving && backlog.isBehind ? .behind : health, waiting: backlog.waiting,
            longestWait: backlog.longestWait)
    }

    /// How long single pieces of work have held the writer.
    var holdTimes: HoldTimes { holds.withLock { $0 } }

    /// Returns when it has begun.
    /// - Parameter decisions: made on the writer's thread, and never leave it.
    func start(_ decisions: @escaping @Sendable () throws(SQLiteError) -> Decisions) throws(SQLiteError) {
        let opening = Opening()
        thread.start { [self] in
            let loop: WriterLoop
            do throws(SQLiteError) {
                let decisions = try decisions()
                let files = try StoreFiles(path: path, store: decisions.numbers.store, head: decisions.log.head)
                loop = try WriterLoop(queue, decisions, checkpointer, files, state, holds, options)
            } catch {
                return opening.finish(error)
            }
            opening.finish(nil)
            let loss = loop.run()
            self.loss.withLock { $0 = loss }
        }
        do throws(SQLiteError) { try opening.wait() } catch {
            thread.join()
            throw error
        }
    }

    /// Hands a job in; if the store is closed already, or too late with what it has, the job's failure is answered at once.
    func submit(_ job: Job) {
        if queue.append(job) != .taken { job.fail(.unavailable(retryAfter: retryAfter))?() }
    }

    /// Ends when everything that was handed in is decided and on the disk.
    /// - Returns: what could not be written; `nil` where nothing is lost.
    func close() -> String? {
        queue.close()
        thread.join()
        return loss.withLock { $0 }
    }
}
