/// A line of the log that is written once a minute at most, however often there is a reason.
public struct RareLine: Sendable {
    private var last: ContinuousClock.Instant?
    private var leftOut = 0

    /// One that has not been written yet.
    public init() {}

    /// There is a reason for it.
    /// - Returns: how many lines were left out since the last one; `nil` if this one is too.
    public mutating func admit(at now: ContinuousClock.Instant = .now) -> Int? {
        if let last, now - last < .seconds(60) {
            leftOut += 1
            return nil
        }
        defer { (last, leftOut) = (now, 0) }
        return leftOut
    }
}
