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
    /// The turn of which this is the time.
    private var turn: Int64 = .min

    /// Reads the time.
    /// - Parameter turn: when the loop's turn began, in monotonic nanoseconds.
    func read(_ clock: StoreClock, in turn: Int64) {
        guard turn != self.turn else { return }
        self.turn = turn
        now = clock.now
        tick = Tick(nanoseconds: turn)
    }
}
