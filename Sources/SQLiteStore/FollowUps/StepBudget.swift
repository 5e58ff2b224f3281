/// How much work a transaction may do for the directory, in steps that take some microseconds each. By steps rather than by time,
/// so that a test can count them: no single job keeps everybody else waiting, however much there is to do. Writer only.
final class StepBudget {
    /// A device looked at in the order of an index, and counted.
    static let count = 1
    /// A row of the log read and judged.
    static let row = 3
    /// A device changed, with its indexes; a row of the log written.
    static let write = 6

    private(set) var left = 0
    private(set) var taken = 0

    /// A transaction begins.
    func begin(allowing steps: Int) {
        left = steps
        taken = 0
    }

    func take(_ steps: Int) {
        left -= steps
        taken += steps
    }

    /// Nothing more is to be begun.
    var isSpent: Bool { left <= 0 }
}
