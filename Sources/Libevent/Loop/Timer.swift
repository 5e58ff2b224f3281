/// Calls a closure after a time, once or again and again, on the loop that it belongs to. It ends when it is cancelled or let go.
///
/// It costs a libevent event (about 150 bytes). For thousands of deadlines that are renewed all the time, use a `DeadlineWheel`.
public final class Timer {
    private let loop: EventLoop
    private let event: LoopEvent
    private let period: Duration?

    /// Starts the timer. On the loop's thread only.
    ///
    /// - Parameters:
    ///   - delay: how long until the first call; the loop's clock has a resolution of some milliseconds.
    ///   - period: how long from call to call; nil: there is one call.
    ///   - body: called on the loop. It must not hold the timer's owner: capture that `unowned`.
    public init(
        on loop: EventLoop, after delay: Duration, every period: Duration? = nil, _ body: @escaping () -> Void
    ) throws(LibeventError) {
        self.loop = loop
        self.period = period
        event = try LoopEvent(on: loop, .timer, repeats: false) { event in
            if let period { event.add(after: period) }
            body()
        }
        event.add(after: delay)
    }

    deinit { loop.release(event) }

    /// No call follows. Again, or after the call: no effect.
    public func cancel() { event.remove() }

    /// Starts it anew: the next call is in `delay`, whether it was pending, done or cancelled.
    public func restart(after delay: Duration) { event.add(after: delay) }
}
