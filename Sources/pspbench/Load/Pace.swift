internal import Base

/// Says how many of something are due, at a steady rate.
struct Pace {
    private let rate: Double
    private let start: Int64
    private var done = 0

    /// `rate` a second, from now on.
    init(rate: Double) {
        self.rate = rate
        start = MonotonicClock.microseconds
    }

    /// How many are due and have not been taken; takes them.
    mutating func due(atMost limit: Int = .max) -> Int {
        let all = Int(Double(MonotonicClock.microseconds - start) / 1_000_000 * rate)
        let now = max(0, min(all - done, limit))
        done += now
        return now
    }
}
