internal import Glibc
internal import Push
internal import Synchronization

/// The one thread that changes the store. While it commits, jobs collect; one fsync answers them all.
final class Writer: Sendable {
    private let queue = JobQueue()
    private let thread = WorkerThread(name: "psp-store")
    private let state: Mutex<Health> = Mutex(.serving)
    private let checkpointer: Checkpointer
    private let options: SQLiteStore.Options

    /// Pauses in milliseconds: with facts to write, with rows to index, and otherwise.
    private static let pauses = (facts: 50, index: 1_000, idle: 5_000)
    /// How long imports may hold a transaction open, in nanoseconds.
    private static let importSlice: UInt64 = 5_000_000

    init(path: String, options: SQLiteStore.Options) {
        self.options = options
        checkpointer = Checkpointer(path: path, failed: options.log)
    }

    var health: Health { state.withLock { $0 } }

    /// - Parameter ledger: made on the writer's thread, and never leaves it.
    func start(_ ledger: @escaping @Sendable () throws -> Ledger, opened: @escaping @Sendable ((any Error)?) -> Void) {
        thread.start { [self] in
            do {
                let ledger = try ledger()
                opened(nil)
                Turn(self, ledger).run()
            } catch {
                opened(error)
            }
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

    /// The thread's loop.
    private final class Turn {
        let writer: Writer
        let ledger: Ledger
        let merge: Merge
        let retention: Retention
        let log = WALObserver()
        var sweptUpTo: UInt64 = 0
        var nextSweep: Int64 = 0
        var sweepIsAtStart = true
        var lastFailure: SQLiteError?

        init(_ writer: Writer, _ ledger: Ledger) {
            self.writer = writer
            self.ledger = ledger
            merge = Merge(database: ledger.database)
            retention = Retention(ledger.database, lifetime: writer.options.taskRetention)
            ledger.database.onCommit(log)
        }

        func run() {
            while let jobs = writer.queue.take(within: pause) {
                decide(jobs)
                tidy(isIdle: jobs.isEmpty)
            }
            // Everything that was told is on the disk before the store closes.
            decide([], flushing: true)
        }

        private var pause: Int {
            if !ledger.imports.isEmpty { return 0 }
            if ledger.hasUnwritten || ledger.outbox.owesGap { return Writer.pauses.facts }
            return ledger.tail.active.count > 0 ? Writer.pauses.index : Writer.pauses.idle
        }

        private func decide(_ jobs: [Job], flushing: Bool = false) {
            var transactional: [Job] = []
            var sessions: [Job] = []
            for job in jobs { if job.isAboutSessions { sessions.append(job) } else { transactional.append(job) } }
            if !transactional.isEmpty || !ledger.imports.isEmpty || ledger.hasUnwritten || flushing {
                transact(transactional, flushing: flushing)
            }
            for job in sessions {
                do {
                    if let answer = try job.decide(ledger) { ledger.outbox.answer(job.loop, answer) }
                } catch {
                    if let answer = job.fail(.unavailable(retryAfter: retryAfter)) { ledger.outbox.answer(job.loop, answer) }
                    writer.options.log("session: \(error)")
                }
            }
            ledger.outbox.send(upTo: ledger.head, snapshot: ledger.snapshot)
        }

        private func transact(_ jobs: [Job], flushing: Bool) {
            do {
                try ledger.begin()
                for job in jobs {
                    guard let answer = try job.decide(ledger) else { continue }
                    if job.confirmed { ledger.outbox.confirm(job.loop, answer) } else { ledger.outbox.answer(job.loop, answer) }
                }
                try advanceImports()
                try ledger.commit(flushing: flushing || jobs.contains { $0.flushes })
                ledger.imports.forEach { $0.committed() }
                ledger.imports.removeAll { $0.isDone }
                heal()
            } catch {
                undo(jobs, after: error)
            }
        }

        private func advanceImports() throws(SQLiteError) {
            guard let next = ledger.imports.first else { return }
            let began = clock_gettime_nsec()
            try next.advance(ledger) { clock_gettime_nsec() - began > Writer.importSlice }
        }

        private func undo(_ jobs: [Job], after error: SQLiteError) {
            let answer = ledger.rollback(error)
            for job in jobs {
                if let answer = job.fail(answer) { ledger.outbox.answer(job.loop, answer) }
            }
            for started in ledger.imports { started.failed(ledger.outbox, certain: error.isFull) }
            ledger.imports.removeAll()
            let health: Health = ledger.failure.map { .failed(reason: $0) } ?? .full
            if writer.health != health { writer.options.log("the store cannot write: \(error)") }
            writer.state.withLock { $0 = health }
        }

        private func heal() {
            guard writer.health == .full else { return }
            writer.state.withLock { $0 = .serving }
            writer.options.log("the store can write again")
        }

        // MARK: Between transactions

        private func tidy(isIdle: Bool) {
            guard ledger.failure == nil else { return }
            do {
                let waiting = ledger.tail.active.count
                if waiting >= Merge.threshold || (isIdle && waiting > 0) { ledger.tail.seal() }
                // Oldest first, and no later one before it: the mark up to which rows are indexed leaves no gap.
                for generation in ledger.tail.sealed {
                    try merge.merge(generation)
                    ledger.tail.drop(generation)
                }
                if isIdle { try sweep() }
                try checkpoint()
            } catch {
                // Nobody waits for it, and it is tried again: the tail still has what the index lacks.
                writer.options.log("housekeeping: \(error)")
            }
        }

        private func sweep() throws(SQLiteError) {
            let now = writer.options.clock()
            guard now >= nextSweep else { return }
            try ledger.begin()
            do {
                if sweptUpTo == 0 { sweepIsAtStart = true }
                let next = try retention.sweep(after: sweptUpTo, now: now, isFirst: &sweepIsAtStart) {
                    ledger.receipts.forget($0)
                }
                sweptUpTo = next ?? 0
                if next == nil { nextSweep = now + writer.options.sweepInterval }
                try ledger.commit(flushing: false)
            } catch {
                _ = ledger.rollback(error)
                throw error
            }
        }

        private func checkpoint() throws(SQLiteError) {
            if writer.checkpointer.takeDone() {
                _ = try ledger.database.checkpoint()
                log.frames = 0
            } else if log.frames > Checkpointer.threshold {
                writer.checkpointer.request()
            }
        }
    }
}

/// Monotonic time in nanoseconds.
func clock_gettime_nsec() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
