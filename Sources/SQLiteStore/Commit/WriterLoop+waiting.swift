internal import Base

// How long the writer sleeps when nobody asks: until the first thing that is due at a time of its own.

extension WriterLoop {
    /// Pauses in milliseconds: where a loop is owed a gap, with a full disk or another program's lock to try again, with a step
    /// of the clock to write, with a wall clock that store time may have to follow, and otherwise.
    private static let pauses = (gap: 50, full: 500, blocked: 100, clock: 10, ahead: 1_000, idle: 5_000)

    /// In nanoseconds.
    var pause: Int64 {
        if mayTakeHeld { return 0 }
        let now = MonotonicClock.nanoseconds
        var next = longestPause(from: now)
        if transaction.failure == nil { next = min(next, files.nextLook) }
        if canWrite, let due = decisions.audit.due { next = min(next, due) }
        if mayFollowUp { next = min(next, followUpPace.next) }
        if mayImport { next = min(next, pace.next) }
        if let deadline = decisions.inquiries.nextDeadline { next = min(next, deadline) }
        if let deadline = decisions.imports.nextDeadline { next = min(next, deadline) }
        if mayTidy, let filling = upkeep.nextFilling { next = min(next, filling) }
        return max(0, next - now)
    }

    /// Until when it may sleep by everything but imports, merges and sums, in monotonic nanoseconds.
    private func longestPause(from now: Int64) -> Int64 {
        func after(_ milliseconds: Int) -> Int64 { now + Int64(milliseconds) * 1_000_000 }
        if decisions.outbox.owesGap { return after(Self.pauses.gap) }
        if isHindered { return nextTry }
        if let due = decisions.facts.due { return due }
        if upkeep.isSweeping { return after(options.tuning.sweepPause) }
        if transaction.isClockDue || decisions.time.isDue { return after(Self.pauses.clock) }
        if decisions.time.isAhead { return after(Self.pauses.ahead) }
        return after(decisions.log.tail.hasActive ? options.tuning.mergePause : Self.pauses.idle)
    }

    /// How long until the next try to write, in milliseconds.
    var retryPause: Int { state == .full ? Self.pauses.full : Self.pauses.blocked }

    /// Whether nobody has come for a while. That nobody is there now says little: what is due at a time of its own wakes the
    /// thread between any two jobs.
    func isIdle(at now: Int64) -> Bool {
        now - lastBusy >= Int64(min(options.tuning.mergePause, Self.pauses.gap)) * 1_000_000
    }
}
