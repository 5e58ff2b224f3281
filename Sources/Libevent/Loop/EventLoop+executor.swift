internal import Glibc

extension EventLoop {
    // MARK: SerialExecutor

    /// The runtime's way to run a job here: an actor's, or that of a task which prefers this loop. From any thread.
    ///
    /// A task that waits for its actor's loop should prefer the loop (`Task.immediate(executorPreference: loop)`): the runtime
    /// resumes a continuation on the task's preferred executor, and without one on the global pool, which then hands the task
    /// back to the loop: two threads woken for each answer (measured: 7.0 µs of CPU, with the preference 0.4 µs).
    public func enqueue(_ job: consuming ExecutorJob) { post(.task(UnownedJob(job))) }

    /// The executor that an actor of this loop returns from `unownedExecutor`.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// The executor that a task of this loop prefers.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

    /// Two references are the same executor when they are the same loop.
    public func isSameExclusiveExecutionContext(other: EventLoop) -> Bool { self === other }

    /// What `assumeIsolated` asks when it is called outside a task, from a libevent callback: traps on a thread that is not the
    /// loop's.
    public func checkIsolated() {
        precondition(isCurrent, "not on the thread of \(name)")
    }

    /// The same question as `checkIsolated()`, without the trap.
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: Jobs

    /// Runs `work` on the loop, after what was posted before. From any thread.
    ///
    /// The loop is woken only when it sleeps and nobody else has woken it; from its own thread never. A job posted after the loop
    /// has ended never runs.
    public func execute(_ work: @escaping @Sendable () -> Void) { post(.work(work)) }

    private func post(_ job: Job) { queue(job)?.ring() }

    /// Adds a job.
    /// - Returns: what has to be rung for it, if anything.
    func queue(_ job: Job) -> Alarm? {
        shared.withLock { shared in
            shared.jobs.append(job)
            return takeAlarm(&shared)
        }
    }

    /// Drops the last reference to an object of this loop on the loop's thread, wherever its owner died; at once when no thread
    /// runs the loop.
    func release(_ object: AnyObject) {
        if isCurrent { return }
        // Safe: the caller gives its reference away, and the job does nothing but drop it.
        nonisolated(unsafe) let object = object
        let alarm: Alarm? = shared.withLock { shared in
            guard shared.life == .running else { return nil }
            shared.jobs.append(.work { _ = object })
            return takeAlarm(&shared)
        }
        alarm?.ring()
    }

    // MARK: Turns

    /// Registers a step that runs at the end of every turn, after the queued jobs: the place where batches are handed over. On
    /// the loop's thread (or before it starts) only; registered until the loop ends, so let it capture its owner `unowned` or
    /// `weak`.
    public func atEndOfTurn(_ step: @escaping () -> Void) {
        preconditionOwned()
        turn.steps.append(TurnStep(step, isPermanent: true))
    }

    /// The same for a step that runs only at the end of a turn in which it was requested: most turns have nothing to gather.
    public func onRequestAtEndOfTurn(_ step: @escaping () -> Void) -> TurnStep {
        preconditionOwned()
        let step = TurnStep(step, isPermanent: false)
        turn.steps.append(step)
        return step
    }

    /// Runs `step` once, in this turn, when the callback that runs now has returned. On the loop's thread only. It needs no lock
    /// and no wake.
    public func afterCallback(_ step: @escaping () -> Void) {
        preconditionOwned()
        turn.later.append(step)
    }

    /// Has the next turn follow at once, although nothing may be ready: for a step that has more to do. On the loop's thread
    /// only; it costs nothing.
    public func goOn() {
        preconditionOwned()
        turn.goOn()
    }

    /// Whether the next turn follows this one at once, as far as is known: more callbacks wait in this pass, jobs are left, or
    /// somebody goes on. Then who hands over batches may wait for a larger one. On the loop's thread only.
    public var goesOn: Bool { turn.isInsidePass || turn.goesOn || turn.hasJobs }

    /// Whether what runs (the callbacks, the jobs or the steps of this turn) has had its share, a third of `longestTurn`: who has
    /// much to do breaks off and goes on in the next turn. On the loop's thread only.
    public var turnExceeded: Bool { turn.isExceeded }

    /// The monotonic clock at the begin of this turn, in nanoseconds. On the loop's thread only.
    public var monotonicNow: Int64 { turn.beginning }

    /// The wall clock in this turn (Unix time in milliseconds), read once a turn. On the loop's thread only.
    public var wallClockMilliseconds: Int64 { turn.wallClock }

    func runTurns() {
        repeat {
            turn.pass(waiting: mayWait())
            endTurn()
        } while !shouldEnd()
    }

    /// The way in of a connection's callback; the pass may hold many. When they have had their share, the turn ends right here,
    /// and the next one goes on with the pass.
    ///
    /// The other way would be to break the pass off. libevent then asks the system about every ready descriptor again (up to
    /// 4,096, level-triggered): with 10,000 connections that answer at once it doubled the cost of an answer, and what was newly
    /// ready got behind what was active all the same.
    @inline(__always)
    func callback(_ body: () -> Void) {
        guard turn.connections != nil else { return turn.callback(body) }
        if turn.interruptibleCallback(body) { turn.interrupt(endTurn) }
    }

    /// A handshake has come further, inside libevent: the turn may be over.
    func didHandshake() {
        if turn.isBetweenCallbacks { callback {} } else { turn.callback {} }
    }

    private func endTurn() {
        turn.runLater()
        turn.beginPart()
        takeJobs()
        runJobs()
        // What these jobs have made ready to go on: a request's task, once its answer has come.
        if !turn.hasJobs {
            takeJobs()
            runJobs()
        }
        turn.beginPart()
        turn.runSteps()
        turn.begin()
    }

    /// Whether the next pass may wait for descriptors; from then on whoever posts a job wakes the loop.
    private func mayWait() -> Bool {
        if turn.hasLater || turn.goesOn || turn.hasJobs || turn.isStepRequested || turn.connections?.hasWork == true {
            return false
        }
        return shared.withLock { shared in
            shared.sleeping = shared.jobs.isEmpty && !shared.stopping
            return shared.sleeping
        }
    }

    /// Takes what is queued, behind what an earlier turn left.
    private func takeJobs() {
        shared.withLock { shared in
            shared.sleeping = false
            guard !shared.jobs.isEmpty else { return }
            if !turn.hasJobs {
                // Two arrays take turns: one that grows anew in each turn is large enough for the allocator to tidy up for it.
                swap(&turn.backlog, &shared.jobs)
            } else {
                turn.backlog += shared.jobs
                shared.jobs.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Runs the jobs that have been taken, for as long as they may take.
    private func runJobs() {
        guard turn.hasJobs else { return }
        let executor = asUnownedSerialExecutor()
        let preference = asUnownedTaskExecutor()
        var index = turn.backlogStart
        while index < turn.backlog.count {
            switch turn.backlog[index] {
            case .task(let job): job.runSynchronously(isolatedTo: executor, taskExecutor: preference)
            case .work(let work): work()
            }
            index += 1
            if turn.isExceeded { break }
        }
        turn.consumeBacklog(upTo: index)
        turn.runLater()
    }

    private func shouldEnd() -> Bool {
        if turn.hasLater || turn.hasJobs { return false }
        return shared.withLock { shared in
            guard shared.stopping, shared.jobs.isEmpty else { return false }
            shared.life = .ended
            return true
        }
    }
}
