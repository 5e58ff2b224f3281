internal import Base
internal import Push

/// Times of the pieces of one transaction: one look at the clock for each.
struct Stopwatch {
    private var last = MonotonicClock.nanoseconds
    private var laps: [(piece: HoldTimes.Piece, nanoseconds: Int64)] = []

    /// A piece has ended, and the next begins.
    mutating func lap(_ piece: HoldTimes.Piece) {
        let now = MonotonicClock.nanoseconds
        laps.append((piece, now - last))
        last = now
    }

    /// - Parameter steps: of work for the directory.
    func record(in times: inout HoldTimes, steps: Int) {
        for lap in laps { times.record(lap.piece, lap.nanoseconds) }
        times.mostSteps = max(times.mostSteps, steps)
    }
}
