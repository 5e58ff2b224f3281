internal import Push

/// The time by which a row has expired or not: one for all lanes of a loop, read once in a turn of it.
///
/// Whoever delivers asks this and no other clock, so that it is one place that decides by which time is delivered, and whether
/// at all.
final class DeliveryClock {
    /// Store time: the same by which the store judges what it hands out.
    var now: Int64 = 0
    /// The same moment on the loop's own clock: what messages are sent at.
    var tick = Tick(0)
    /// The term in which messages may be handed to connections; `nil`: not now. See ``Lease``.
    var term: UInt64? = 0
    /// The turn of which this is the time.
    private var turn: Int64 = .min

    /// How many milliseconds ago that was.
    func age(of earlier: Tick) -> Int64 {
        // A tick is a tenth of a second: what has passed of the present one counts, so that a moment stays the same moment
        // whenever it is asked for.
        Int64(tick.elapsed(since: earlier)) * 100 + turn / 1_000_000 % 100
    }

    /// Reads the time.
    /// - Parameter turn: when the loop's turn began, in monotonic nanoseconds.
    func read(_ clock: StoreClock, _ lease: Lease?, in turn: Int64) {
        guard turn != self.turn else { return }
        self.turn = turn
        now = clock.now
        if let lease { term = lease.term(leaving: Lease.turn) }
        tick = Tick(nanoseconds: turn)
    }
}
