package import Push

/// When a difference between the wall clock and store time is a step, and when store time follows it.
package enum ClockRules {
    /// Differences below this change nothing: clocks drift and are slewed. Milliseconds, as all here.
    package static let tolerance: Int64 = 2_000
    /// A step has to stand so long where the system says that its clock is right.
    package static let standing: Int64 = 60_000
    /// So long where it does not say so,
    package static let unconfirmedStanding: Int64 = 600_000
    /// and a step of this size or more then waits until it does, or an operator does.
    package static let largestUnconfirmed: Int64 = 24 * 3_600_000

    /// What store time waits for until it follows a wall clock that is ahead.
    /// - Parameters:
    ///   - ahead: by how much.
    ///   - duration: how long it has stood there.
    /// - Returns: `nil`: for nothing.
    package static func wait(ahead: Int64, duration: Int64, isSynchronised: Bool) -> ClockState.Wait? {
        let needed: Int64
        if isSynchronised {
            needed = standing
        } else if ahead < largestUnconfirmed {
            needed = unconfirmedStanding
        } else {
            return .synchronisation
        }
        return duration >= needed ? nil : .time(needed - duration)
    }
}
