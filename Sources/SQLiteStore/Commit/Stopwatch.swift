internal import Base
internal import Push

/// Times the pieces of one transaction: one look at the clock for each. They are noted at once, as a list of them would be
/// allocated for each transaction.
struct Stopwatch {
    private let holds: Locked<HoldTimes>
    private var last = MonotonicClock.nanoseconds

    /// The first piece begins.
    init(noting holds: Locked<HoldTimes>) { self.holds = holds }

    /// A piece has ended, and the next begins.
    mutating func lap(_ piece: HoldTimes.Piece) {
        let now = MonotonicClock.nanoseconds
        holds.withLock { $0.record(piece, now - last) }
        last = now
    }
}
