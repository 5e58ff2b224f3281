internal import Base

// What the writer does between the transactions that somebody waits for, a little at a time.

extension WriterLoop {
    /// - Parameter start: when the last jobs were taken, in monotonic nanoseconds.
    func goOnBetweenTransactions(since start: Int64) {
        look()
        giveUpInquiries()
        tidy(isIdle: isIdle(at: start) && decisions.imports.isIdle && decisions.followUps.isEmpty)
        goOnFollowingUp()
        goOnImporting()
    }

    /// Whether the files are still there.
    private func look() {
        guard MonotonicClock.nanoseconds >= files.nextLook, transaction.failure == nil else { return }
        if let loss = files.look(head: decisions.log.head) { fail(loss) }
    }

    /// Answers who has waited long enough for a loop.
    private func giveUpInquiries() {
        guard decisions.inquiries.isWaitedFor, decisions.inquiries.giveUp(at: MonotonicClock.nanoseconds) else { return }
        sendAnswers()
    }

    /// Whether upkeep can do anything: a full disk may get room by moving the log; another program's lock is in the way of all
    /// of it.
    var mayTidy: Bool {
        guard transaction.failure == nil else { return false }
        if case .blocked = state { return false }
        return true
    }

    private func tidy(isIdle: Bool) {
        guard mayTidy else { return }
        if let reason = upkeep.run(isIdle: isIdle, mayWrite: canWrite) { fail(reason) }
    }

    /// A slice of what follows from a change of the directory, in a transaction of its own.
    private func goOnFollowingUp() {
        guard mayFollowUp else { return }
        let start = MonotonicClock.nanoseconds
        guard start >= followUpPace.next else { return }
        let isAwaited = queue.count > 0
        guard options.tuning.mayFollowUp(),
            !followUpPace.yields(at: start, toWaiting: isAwaited, toCheckpoint: checkpointer.isBusy)
        else { return followUpPace.wait(at: start) }
        let (_, steps) = decide([], .followingUp(min(followUpPace.size, mostSteps)), flushing: true)
        followUpPace.finished(steps, since: start)
    }

    /// A slice of an import, in a transaction of its own, while nobody else waits and the disk is not busy with a checkpoint.
    private func goOnImporting() {
        guard !decisions.imports.isIdle || decisions.imports.nextDeadline != nil else { return }
        let start = MonotonicClock.nanoseconds
        if decisions.imports.answerWaiters(at: transaction.failure == nil ? start : .max) {
            sendAnswers()
        }
        guard mayImport, start >= pace.next else { return }
        if pace.yields(at: start, toWaiting: queue.count > 0, toCheckpoint: checkpointer.isBusy) { return pace.wait(at: start) }
        let (_, count) = decide([], .importing(min(pace.size, mostSteps)))
        pace.finished(count, since: start)
    }
}
