internal import Base
internal import Synchronization
internal import StoreCore

/// Moves the write-ahead log into the file from a thread of its own: in bulk here, so that the writer has only the last few
/// frames left to move, between two commits, after which the log begins anew. A checkpoint by the writer alone would stall it;
/// one by somebody else alone never lets a steady writer's log begin anew.
final class Checkpointer: Sendable {
    /// How it ends.
    enum Ending {
        /// Everything is moved, so that the file alone is the whole store.
        case moving
        /// Both are left as they are.
        case leaving
    }

    private let wanted = WakeSignal()
    private let ended = WakeSignal()
    private let isRunning = Atomic(false)
    private let ending = Locked<Ending?>(nil)
    private let interruption = Locked<Database.Interruption?>(nil)
    private let outcome = Locked<Outcome?>(nil)
    private let thread = WorkerThread(name: "psp-checkpoint", scheduling: .givesWayOnDisk)
    private let log: @Sendable (String) -> Void
    /// When the write-ahead log began anew, in monotonic nanoseconds.
    private let logBegan = Atomic(MonotonicClock.nanoseconds)

    /// How long the last checkpoint may take: what is left of a clean end.
    private static let longestEnd = Duration.seconds(1)

    /// Opens the file at once: later there may be no descriptor left.
    init(path: String, log: @escaping @Sendable (String) -> Void) throws(SQLiteError) {
        self.log = log
        let opening = Opening()
        thread.start { [self] in
            let database: Database
            do throws(SQLiteError) { database = try Database(path: path, role: .checkpointer) } catch {
                return opening.finish(error)
            }
            interruption.withLock { $0 = database.interruption() }
            opening.finish(nil)
            run(database)
            interruption.withLock { $0 = nil }
            withExtendedLifetime(database) {}
        }
        do throws(SQLiteError) { try opening.wait() } catch {
            thread.join()
            throw error
        }
    }

    /// Asks for a checkpoint; returns at once.
    func request() {
        isRunning.store(true, ordering: .relaxed)
        wanted.signal()
    }

    /// Whether one that was asked for goes on.
    var isBusy: Bool { isRunning.load(ordering: .relaxed) }

    /// The log has begun anew.
    func logHasBegunAnew() { logBegan.store(MonotonicClock.nanoseconds, ordering: .relaxed) }

    /// How long ago it did, in nanoseconds.
    var logAge: Int64 { MonotonicClock.nanoseconds - logBegan.load(ordering: .relaxed) }

    /// What became of a checkpoint.
    enum Outcome {
        /// The bulk is moved: the writer finishes it.
        case moved
        /// Somebody reads as of a moment before, and what he still needs cannot be moved.
        case held
        case failed(SQLiteError)
    }

    /// What became of the last one, once.
    func removeOutcome() -> Outcome? {
        outcome.withLock { outcome in
            defer { outcome = nil }
            return outcome
        }
    }

    /// Ends it. Every other connection is closed already.
    func close(_ ending: Ending) {
        self.ending.withLock { $0 = ending }
        wanted.signal()
        if !ended.wait(atMost: Self.longestEnd) { interruption.withLock { $0?() } }
        thread.join()
    }

    private func run(_ database: Database) {
        defer { ended.signal() }
        while true {
            wanted.wait()
            if let ending = ending.withLock({ $0 }) {
                if case .moving = ending { moveAll(database) }
                return
            }
            let outcome: Outcome
            do throws(SQLiteError) {
                let (frames, moved) = try database.checkpoint()
                outcome = moved == frames ? .moved : .held
            } catch {
                outcome = .failed(error)
            }
            self.outcome.withLock { $0 = outcome }
            isRunning.store(false, ordering: .relaxed)
        }
    }

    private func moveAll(_ database: Database) {
        do throws(SQLiteError) {
            database.waitForLocks(upTo: 200)
            if try database.checkpointWhole() { return }
            log("psp.db-wal still holds a part of the store: another program reads psp.db")
        } catch {
            log("psp.db-wal still holds a part of the store: \(error)")
        }
    }
}
