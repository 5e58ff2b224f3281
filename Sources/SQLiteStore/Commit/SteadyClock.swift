internal import Synchronization

/// A clock that never goes back while the store is open: what a caller has read as expired is not active again because somebody
/// set the system's time.
final class SteadyClock: Sendable {
    private let clock: @Sendable () -> Int64
    private let latest = Atomic(Int64.min)

    init(_ clock: @escaping @Sendable () -> Int64) { self.clock = clock }

    /// Unix time in milliseconds.
    @Sendable func now() -> Int64 {
        let time = clock()
        return max(time, latest.max(time, ordering: .relaxed).newValue)
    }
}
