/// Store time as a node knows it by its own clock, which nobody sets. The database's wall clock may be set, or become another
/// server's: a node that sees it leap has the store make up for it, and no call is decided by it meanwhile (`check_clock`).
struct NodeTime {
    /// An answer that tells the time: in milliseconds what the database's clock and its shift say, and the shift.
    struct Sample {
        let now: Int64
        let shift: Int64
        /// When it was asked and answered, in microseconds since the boot.
        let asked: Int64
        let answered: Int64

        /// Microseconds of store time at the boot.
        fileprivate var base: Int64 { now * 1_000 - (asked + answered) / 2 }
        /// Whether it was answered fast enough to tell a clock that was set from an answer that was late.
        var isExact: Bool { answered - asked < 500_000 }
    }

    private var base: Int64 = 0
    private var shift: Int64 = 0
    private(set) var isKnown = false
    /// What two clocks may differ by before one was set, in microseconds.
    private static let tolerance: Int64 = 2_000_000

    /// Milliseconds of store time, so many microseconds after the boot.
    func now(at boot: Int64) -> Int64 { (boot + base) / 1_000 }

    /// The same of the database's wall clock, as far as it is known without asking.
    func wall(at boot: Int64) -> Int64 { now(at: boot) - shift }

    /// What an answer says about the database's clock.
    enum Finding: Equatable {
        /// It goes on; what is known of it is exacter now.
        case agrees
        /// Another node has made up for a step, or this one has just come.
        case follows
        /// It was set: with that shift store time goes on as if it had not been.
        case wasSet(shift: Int64)
        /// The answer came too late to tell.
        case uncertain
    }

    mutating func learn(_ sample: Sample) -> Finding {
        guard sample.isExact else { return .uncertain }
        guard isKnown else {
            begin(sample)
            return .follows
        }
        let step = sample.base - base
        if sample.shift == shift, abs(step) > Self.tolerance { return .wasSet(shift: shift - step / 1_000) }
        let finding: Finding = sample.shift == shift ? .agrees : .follows
        (base, shift) = (sample.base, sample.shift)
        return finding
    }

    /// Takes over what an answer says, as a node does that has just come and knows nothing.
    mutating func begin(_ sample: Sample) { (base, shift, isKnown) = (sample.base, sample.shift, true) }

    /// Microseconds of store time at the boot, for a clock that never falls.
    var clockBase: Int64 { base }

    /// Microseconds of the database's wall clock at the boot.
    var wallBase: Int64 { base - shift * 1_000 }
}
