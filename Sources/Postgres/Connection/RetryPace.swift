/// How long to rest between two rounds over all hosts: longer from round to round, and drawn, so that those who lost the same
/// server do not return together.
struct RetryPace {
    private let first: Duration
    private let last: Duration
    private var failures = 0

    init(first: Duration, last: Duration) {
        self.first = first
        self.last = last
    }

    /// A session was ready: the next loss begins anew.
    mutating func succeeded() { failures = 0 }

    /// The pause before the next round: between the half and the whole of the first, doubled with each round up to the last.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let whole = min(last, first * (1 << min(failures, 20)))
        failures += 1
        return whole / 2 + (whole / 2) * Double.random(in: 0..<1, using: &generator)
    }
}
