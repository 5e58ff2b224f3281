internal import Base
internal import Synchronization

/// Moves the write-ahead log into the file from a thread of its own: in bulk here, so that the writer has only the last few
/// frames left to move, between two commits, after which the log begins anew. A checkpoint by the writer alone would stall it;
/// one by somebody else alone never lets a steady writer's log begin anew.
final class Checkpointer: Sendable {
    private let path: String
    private let wanted: WakeSignal
    private let isDone = Atomic(false)
    private let isRunning = Atomic(false)
    private let isClosed = Atomic(false)
    private let failure = Locked<SQLiteError?>(nil)
    private let thread: WorkerThread

    init(path: String) {
        self.path = path
        let wanted = WakeSignal()
        self.wanted = wanted
        thread = WorkerThread(name: "psp-checkpoint", scheduling: .givesWayOnDisk)
        thread.start { [self] in run() }
    }

    /// Asks for a checkpoint; returns at once.
    func request() {
        isRunning.store(true, ordering: .relaxed)
        wanted.signal()
    }

    /// Whether one that was asked for goes on.
    var isBusy: Bool { isRunning.load(ordering: .relaxed) }

    /// Whether the bulk has been moved since the last call: the writer finishes it then.
    func removeDone() -> Bool { isDone.exchange(false, ordering: .acquiringAndReleasing) }

    /// Why the last attempt failed, once.
    func removeFailure() -> SQLiteError? {
        failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        wanted.signal()
        thread.join()
    }

    private func run() {
        var database: Database?
        while true {
            wanted.wait()
            if isClosed.load(ordering: .acquiring) { return }
            do throws(SQLiteError) {
                if database == nil { database = try Database(path: path, role: .checkpointer) }
                _ = try database?.checkpoint()
                isDone.store(true, ordering: .releasing)
            } catch {
                // A full disk is tried again when the next one is asked for.
                failure.withLock { $0 = error }
            }
            isRunning.store(false, ordering: .relaxed)
        }
    }
}
