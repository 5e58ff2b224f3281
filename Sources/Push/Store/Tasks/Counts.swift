/// The counts of one task, or sums of them. The eight after `targeted` sum to it.
public struct Counts: Hashable, Sendable {
    /// Devices that it addressed, and those that joined it later.
    public var targeted = 0
    /// Their PUBACK arrived.
    public var delivered = 0
    /// Still to come.
    public var pending = 0
    /// It expired before they had it.
    public var expired = 0
    /// A newer configuration came before they had it.
    public var superseded = 0
    /// It was cancelled before they had it.
    public var cancelled = 0
    /// Their holder changed, or they are no test devices any more.
    public var withdrawn = 0
    /// It is larger than they take.
    public var skippedOversize = 0
    /// They answered that they do not take it.
    public var rejected = 0
    /// They told that it was opened.
    public var opened = 0
    /// They told that it was applied.
    public var applied = 0
    /// They told that it failed.
    public var failed = 0

    /// All zero.
    public init() {}

    /// Adds every count.
    public static func += (sum: inout Counts, other: Counts) {
        sum.targeted += other.targeted
        sum.delivered += other.delivered
        sum.pending += other.pending
        sum.expired += other.expired
        sum.superseded += other.superseded
        sum.cancelled += other.cancelled
        sum.withdrawn += other.withdrawn
        sum.skippedOversize += other.skippedOversize
        sum.rejected += other.rejected
        sum.opened += other.opened
        sum.applied += other.applied
        sum.failed += other.failed
    }
}
