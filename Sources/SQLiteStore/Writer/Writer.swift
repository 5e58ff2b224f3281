internal import Base
internal import Glibc
internal import Push

/// The one thread that changes the store. While it commits, jobs collect; one fsync answers them all.
final class Writer: Sendable {
    private let queue = JobQueue()
    private let thread = WorkerThread(name: "psp-store", scheduling: .prompt)
    private let state: Locked<Health> = Locked(.serving)
    private let checkpointer: Checkpointer
    private let options: SQLiteStore.Options

    /// Pauses in milliseconds: with facts to write, with a full disk to try again, and otherwise.
    private static let pauses = (facts: 50, full: 500, idle: 5_000)

    init(path: String, options: SQLiteStore.Options) {
        self.options = options
        checkpointer = Checkpointer(path: path)
    }

    /// Jobs that were handed in and not taken yet.
    var waitingJobs: Int { queue.count }

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
        var group = GroupCommit()
        var pace = ImportPace()
        /// When the log is to be searched again for what is to be forgotten, in wall clock milliseconds.
        var nextSweep: Int64 = 0
        var isSweeping = false
        /// When the next slice may be done, in monotonic nanoseconds.
        var nextSlice: Int64 = 0
        /// The same for a slice of a merge.
        var nextMerge: Int64 = 0
        /// The last that housekeeping failed with: told once.
        var housekeepingFailure: String?

        init(_ writer: Writer, _ ledger: Ledger) {
            self.writer = writer
            self.ledger = ledger
            merge = Merge(database: ledger.database)
            retention = Retention(ledger.database, ledger.cursors, lifetime: writer.options.taskRetention)
            ledger.database.onCommit(log)
        }

        func run() {
            var jobs: [Job] = []
            while writer.queue.take(into: &jobs, within: pause) {
                if let (callers, time) = group.wait(having: jobs.count) {
                    writer.queue.gather(callers - jobs.count, into: &jobs, within: time)
                }
                let imports = ledger.imports.count
                decide(jobs)
                // An import hands in its next thousand changes as a job, which is nobody else's.
                if jobs.count > ledger.imports.count - imports { pace.sawJob() }
                tidy(isIdle: jobs.isEmpty && ledger.imports.isEmpty)
                goOnImporting()
                // One great crowd must not be paid for ever after.
                jobs.removeAll(keepingCapacity: jobs.count <= 4_096)
            }
            // Nobody is left who could make room for those that wait.
            for waiting in ledger.sessions.takeWaiting() {
                ledger.outbox.answer(waiting.loop) { waiting.answer(.failure(.unavailable)) }
            }
            // Everything that was told is on the disk before the store closes.
            repeat { decide([], flushing: true, importing: ImportPace.largest) } while !ledger.imports.isEmpty
        }

        /// How long to wait for jobs, in nanoseconds.
        private var pause: Int64 {
            var longest = Int64(longestPause) * 1_000_000
            let now = MonotonicClock.nanoseconds
            if !ledger.imports.isEmpty { longest = min(longest, pace.next > now ? pace.next - now : 0) }
            if ledger.tail.isMerging { longest = min(longest, nextMerge > now ? nextMerge - now : 0) }
            return longest
        }

        /// The same by everything but imports, in milliseconds.
        private var longestPause: Int {
            if ledger.hasUnwritten || ledger.outbox.owesGap { return Writer.pauses.facts }
            let tuning = writer.options.tuning
            if isSweeping { return tuning.sweepPause }
            if writer.health == .full { return Writer.pauses.full }
            return ledger.tail.active.count > 0 ? tuning.mergePause : Writer.pauses.idle
        }

        /// A part of an import, in a transaction of its own, while nobody else waits and the disk is not busy with a checkpoint.
        private func goOnImporting() {
            let start = MonotonicClock.nanoseconds
            guard !ledger.imports.isEmpty, start >= pace.next else { return }
            let (isAwaited, isBusy) = (writer.queue.count > 0, writer.checkpointer.isBusy)
            if pace.yields(at: start, toWaiting: isAwaited, toCheckpoint: isBusy) { return pace.wait(at: start) }
            let count = decide([], importing: pace.size)
            pace.finished(count, since: start)
        }

        /// - Returns: how many changes of an import were applied.
        @discardableResult
        private func decide(_ jobs: [Job], flushing: Bool = false, importing slice: Int = 0) -> Int {
            var imported = 0
            ledger.tick()
            let transactional = jobs.contains { $0.isAboutSessions } ? jobs.filter { !$0.isAboutSessions } : jobs
            if !transactional.isEmpty || slice > 0 || ledger.hasUnwritten || flushing || writer.health == .full {
                imported = transact(transactional, flushing: flushing, importing: slice)
            }
            for job in jobs where job.isAboutSessions {
                do {
                    if let answer = try job.decide(ledger) { ledger.outbox.answer(job.loop, answer) }
                } catch {
                    if let answer = job.fail(.unavailable(retryAfter: retryAfter)) { ledger.outbox.answer(job.loop, answer) }
                    writer.options.log("session: \(error)")
                }
            }
            ledger.outbox.send(upTo: ledger.head, snapshot: ledger.snapshot)
            return imported
        }

        private func transact(_ jobs: [Job], flushing: Bool, importing slice: Int) -> Int {
            var decided = 0
            var imported = 0
            do {
                try ledger.begin()
                for job in jobs {
                    if let answer = try job.decide(ledger) {
                        if job.confirmed {
                            ledger.outbox.confirm(job.loop, answer)
                        } else {
                            ledger.outbox.answer(job.loop, answer)
                        }
                    }
                    decided += 1
                }
                if slice > 0, let next = ledger.imports.first { imported = try next.advance(ledger, by: slice) }
                try ledger.commit(flushing: flushing || jobs.contains { $0.flushes }, probing: writer.health == .full)
                ledger.imports.forEach { $0.committed() }
                ledger.imports.removeAll { $0.isDone }
                heal()
            } catch {
                undo(jobs, decided: decided, after: error)
            }
            if !jobs.isEmpty { group.committed(answering: jobs.count { !$0.isFact }, waiting: writer.queue.count) }
            return imported
        }

        private func undo(_ jobs: [Job], decided: Int, after error: SQLiteError) {
            let answer = ledger.rollback(error)
            for job in jobs where !job.isRead {
                if let answer = job.fail(answer) { ledger.outbox.answer(job.loop, answer) }
            }
            for started in ledger.imports where started.isBegun {
                started.failed(ledger.outbox, isCertain: answer != .unknown)
            }
            ledger.imports.removeAll()
            do {
                // Facts that it did not come to; those that it had heard are remembered.
                for job in jobs.dropFirst(decided) where job.isFact { _ = try job.decide(ledger) }
            } catch {
                ledger.fail(error)
            }
            report(error)
            for job in jobs where job.isRead { answerRead(job, otherwise: answer) }
        }

        /// Answers by what is committed: whoever only looks does not suffer from what cannot be written.
        private func answerRead(_ job: Job, otherwise failure: StoreError) {
            var answer: Answer?
            do { answer = try job.decide(ledger) } catch {
                writer.options.log("read: \(error)")
                answer = job.fail(failure)
            }
            if let answer { ledger.outbox.answer(job.loop, answer) }
        }

        /// Tells callers and operator that nothing can be written.
        private func report(_ error: SQLiteError) {
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
            do throws(SQLiteError) {
                if let failure = writer.checkpointer.takeFailure() { throw failure }
                try mergeTail(isIdle: isIdle)
                try sweep()
                try checkpoint()
                housekeepingFailure = nil
            } catch {
                // Nobody waits for it. With a full disk it is tried again: the tail still has what the index lacks.
                if housekeepingFailure != error.description { writer.options.log("housekeeping: \(error)") }
                housekeepingFailure = error.description
                guard !error.isFull else { return }
                ledger.fail(error)
                report(error)
            }
        }

        private func mergeTail(isIdle: Bool) throws(SQLiteError) {
            let waiting = ledger.tail.active.count
            let isDue = waiting >= writer.options.tuning.mergeThreshold || (isIdle && waiting > 0 && !ledger.tail.isMerging)
            if isDue { ledger.tail.seal() }
            // Oldest first, and no later one before it: the mark up to which rows are indexed leaves no gap.
            guard ledger.tail.isMerging, let generation = ledger.tail.sealed.first else { return }
            let start = MonotonicClock.nanoseconds
            guard start >= nextMerge else { return }
            // Unless it works: one that finds no room is tried again then.
            nextMerge = start + Int64(writer.options.tuning.mergePause) * 1_000_000
            if try merge.advance(generation) { ledger.tail.drop(generation) }
            // As much time as a slice took is left to those who wait.
            let now = MonotonicClock.nanoseconds
            nextMerge = now + (now - start)
        }

        private func sweep() throws(SQLiteError) {
            let now = writer.options.clock()
            guard isSweeping || now >= nextSweep else { return }
            let time = MonotonicClock.nanoseconds
            guard time >= nextSlice else { return }
            nextSlice = time + Int64(writer.options.tuning.sweepPause) * 1_000_000
            do {
                try ledger.begin()
                let unmerged = ledger.tail.firstUnmerged
                isSweeping = try !retention.advance(now: now, before: unmerged) { ledger.receipts.forget($0) }
                // With the cursors by which it decided.
                try ledger.commit(flushing: true)
            } catch {
                isSweeping = false
                nextSweep = now + writer.options.sweepInterval
                retention.restart()
                _ = ledger.rollback(error)
                throw error
            }
            if !isSweeping { nextSweep = now + writer.options.sweepInterval }
        }

        private func checkpoint() throws(SQLiteError) {
            if writer.checkpointer.takeDone() {
                _ = try ledger.database.checkpoint()
                log.frames = 0
            } else if log.frames > writer.options.tuning.checkpointThreshold {
                writer.checkpointer.request()
            }
        }
    }
}
