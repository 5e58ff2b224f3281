internal import Base
internal import Libevent

// Calls that take too long.

/// The first call that is in flight is late: the server was asked to cancel it, or is waited for a little longer.
struct Cancellation {
    /// When the connection is given up, on the monotonic clock.
    let end: Int64
    /// The request has been passed on, or has failed: it hits nothing any more that is sent from now on.
    var isPassedOn = false
    /// The call has been answered.
    var isAnswered = false

    var isOver: Bool { isPassedOn && isAnswered }
}

extension PostgresConnection {
    /// Has the timer look at the calls at that time, or before.
    func arm(for deadline: Int64) {
        guard deadline < armedFor else { return }
        armedFor = deadline
        let delay = Duration.nanoseconds(max(0, deadline - MonotonicClock.nanoseconds))
        if let deadlineTimer { return deadlineTimer.restart(after: delay) }
        do throws(LibeventError) {
            deadlineTimer = try Timer(on: loop, after: delay) { [unowned self] in lookAtDeadlines() }
        } catch {
            // A process without memory for a timer has none for calls either.
            preconditionFailure("\(error)")
        }
    }

    private func lookAtDeadlines() {
        armedFor = .max
        let now = MonotonicClock.nanoseconds
        if let cancellation, cancellation.end <= now { return fail(.unresponsive) }
        for var call in waiting.removeExpired(at: now) { call.finish(.unavailable(.late)) }
        if cancellation == nil, !inFlight.isEmpty, inFlight[inFlight.start].deadline <= now { cancelFirst(at: now) }
        for index in inFlight.indices.dropFirst() where inFlight[index].deadline <= now {
            inFlight[index].finish(.unknown(.late))
        }
        armForNext()
    }

    private func armForNext() {
        if let cancellation { arm(for: cancellation.end) }
        // The first one's deadline has done its work where it is being cancelled.
        let next = [waiting.nextDeadline, cancellation == nil ? inFlight.nextDeadline : nil].compactMap { $0 }.min()
        if let next, next < .max { arm(for: next) }
    }

    private func cancelFirst(at now: Int64) {
        cancellation = Cancellation(end: now + options.cancelPatience.nanoseconds, isPassedOn: !options.cancels)
        guard options.cancels else { return }
        guard let request = link?.cancelRequest() else { return fail(.system("no memory")) }
        let generation = generation
        do throws(SystemError) {
            try Errand.run("psp cancel") { [self] in
                request.send()
                enter { $0.cancelWasPassedOn(generation) }
            }
        } catch {
            fail(.unresponsive)
        }
    }

    private func cancelWasPassedOn(_ generation: Int) {
        guard generation == self.generation, cancellation != nil else { return }
        cancellation?.isPassedOn = true
        endCancellation()
    }

    func cancelledCallEnded() {
        cancellation?.isAnswered = true
        endCancellation()
    }

    private func endCancellation() {
        guard cancellation?.isOver == true else { return }
        cancellation = nil
        armForNext()
        sendWaiting()
    }
}
