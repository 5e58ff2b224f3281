/// Coarse deadlines for many: thousands of keep-alives on one loop, by one timer and 24 bytes each.
///
/// A deadline belongs to a slot, a small number that the user gives out (a session's index in its table). Setting, moving and
/// removing are O(1); moving one away, which happens with every packet, is one store. A deadline is met up to one resolution
/// late, never early.
public final class DeadlineWheel {
    private let loop: EventLoop
    private let wheel: Wheel

    /// Makes a wheel. On the loop's thread only.
    ///
    /// - Parameters:
    ///   - resolution: how coarse, at least 1 ms; the loop is woken this often while any deadline is pending.
    ///   - onExpiry: called on the loop, once for each deadline that has come; the slot has none any more.
    public init(
        on loop: EventLoop, resolution: Duration = .milliseconds(500), onExpiry: @escaping (Int) -> Void
    ) throws(LibeventError) {
        self.loop = loop
        wheel = try Wheel(on: loop, resolution: resolution, onExpiry: onExpiry)
    }

    deinit { loop.release(wheel) }

    /// How many deadlines are pending.
    public var count: Int { wheel.schedule.count }

    /// Sets the deadline of `slot`, or moves it, to `delay` from now.
    public func set(_ slot: Int, after delay: Duration) { set(slot, afterNanoseconds: delay.nanoseconds) }

    /// Sets the deadline of `slot`, or moves it; the fastest way (a `Duration` has to be divided).
    public func set(_ slot: Int, afterNanoseconds delay: Int64) { wheel.set(slot, after: delay, now: loop.monotonicNow) }

    /// Forgets the deadline of `slot`; none: no effect.
    public func remove(_ slot: Int) { wheel.schedule.remove(slot) }

    /// What lives as long as the timer's event.
    private final class Wheel {
        private let resolution: Int64
        private let event: LoopEvent
        private var ticking = false
        var schedule = DeadlineSchedule()

        init(on loop: EventLoop, resolution: Duration, onExpiry: @escaping (Int) -> Void) throws(LibeventError) {
            precondition(resolution >= .milliseconds(1))
            self.resolution = resolution.nanoseconds
            weak var wheel: Wheel?
            event = try LoopEvent(on: loop, .timer, repeats: false) { _ in
                wheel?.tick(at: loop.monotonicNow, onExpiry)
            }
            wheel = self
        }

        func set(_ slot: Int, after delay: Int64, now: Int64) {
            if schedule.count == 0 { schedule.startAnew(at: now / resolution) }
            // One more than the division says, so that it is never early.
            schedule.set(slot, to: (now + max(0, delay)) / resolution + 1)
            if !ticking { wait() }
        }

        private func wait() {
            ticking = true
            event.add(after: .nanoseconds(resolution))
        }

        private func tick(at now: Int64, _ onExpiry: (Int) -> Void) {
            ticking = false
            let due = schedule.advance(to: now / resolution)
            for slot in due { onExpiry(slot) }
            // An idle loop is not woken for nothing.
            if schedule.count > 0 && !ticking { wait() }
        }
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
