/// What a device has still to get, as of one moment or nearly so.
public struct Backlog: Hashable, Sendable {
    /// The most rows that are looked at for ``pending``.
    public static let most = 10_000

    /// Messages and configurations that are still to be delivered, what is on its way included.
    public let pending: Int
    /// ``most`` rows were looked at, and there may be more behind them.
    public let isMore: Bool
    /// What its connection has sent and it has not acknowledged; `nil` where its loop did not tell in time.
    public let unacknowledged: Unacknowledged?
    /// When the oldest of that was sent, by the store's wall clock, in Unix milliseconds.
    public let oldestUnacknowledgedAt: Int64?

    /// - Parameter now: the wall clock.
    public init(pending: Int, isMore: Bool, unacknowledged: Unacknowledged?, now: Int64) {
        self.pending = pending
        self.isMore = isMore
        self.unacknowledged = unacknowledged
        oldestUnacknowledgedAt = unacknowledged?.oldestAge.map { now - $0 }
    }
}
