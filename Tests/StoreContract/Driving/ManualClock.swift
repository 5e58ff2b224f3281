internal import Base

/// Unix time in milliseconds that only a test moves.
public final class ManualClock: Sendable {
    private let time: Locked<Int64>

    /// A clock that stands at `time`.
    public init(_ time: Int64 = 1_800_000_000_000) { self.time = Locked(time) }

    /// Where it stands.
    public var now: Int64 { time.withLock { $0 } }

    /// Moves it, also back.
    public func advance(by milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}
