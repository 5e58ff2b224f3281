internal import Synchronization

/// Store time: the one time by which everything ends that has a lifetime (a message's expiry, the day of an `out_biz_no`, a
/// task's retention). It runs by the time since the boot, so that it neither jumps nor falls when somebody sets the wall clock.
///
/// It looks like Unix time and usually is, but nothing that a person wrote may be compared with it: a caller's `expire_time` is
/// converted once, when the push is accepted. Everybody who judges a lifetime reads it here: writers, readers and loops alike.
///
/// It goes forward in a leap only when its store has found that time has passed which no clock has seen: the machine was off, or
/// stood still. The store makes sure that by then everybody knows what that does not concern.
public final class StoreClock: Sendable {
    private let boot: @Sendable () -> Int64
    private let base: Atomic<Int64>

    /// - Parameters:
    ///   - base: store time at the boot, in Unix microseconds.
    ///   - boot: microseconds since the boot.
    public init(base: Int64, boot: @escaping @Sendable () -> Int64) {
        self.boot = boot
        self.base = Atomic(base)
    }

    /// Like Unix milliseconds. Never less than what anybody has read before.
    public var now: Int64 { (boot() + base.load(ordering: .relaxed)) / 1_000 }

    /// Store time goes forward; back it never goes.
    package func goForward(toBase base: Int64) { self.base.max(base, ordering: .relaxed) }
}
