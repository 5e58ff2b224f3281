internal import Synchronization

/// For how long this process may hand messages to connections. Nodes that share a store have a lease each, and renew it; one
/// whose lease has lapsed is not waited for by the others: a cancel is confirmed and a device given away without it. So from that
/// moment on it hands nothing to a connection; sockets stay, and what devices send counts.
///
/// Leases are numbered by terms. Where others may have gone on without this process, the next term begins, and each loop is
/// told by a gap of the feed whose snapshot is of that term (``DirectorySnapshot/term``): a loop that has not applied it yet
/// still knows the past only. Whoever delivers compares ``term(leaving:)`` with that of the last snapshot.
///
/// Read by every loop once a turn, without a lock.
public final class Lease: Sendable {
    /// It never lapses, as no other process has the store. Where one may lapse the store is another machine's: what cannot be
    /// asked now is asked again later.
    public let isUnlimited: Bool
    private let boot: @Sendable () -> Int64
    private let end: Atomic<Int64>
    private let number: Atomic<UInt64>

    /// A lease that has not begun.
    /// - Parameter boot: microseconds since the boot. No other clock will do: the wall clock jumps, and a monotonic one stands
    ///   still while the machine sleeps.
    public init(boot: @escaping @Sendable () -> Int64) {
        self.boot = boot
        isUnlimited = false
        end = Atomic(0)
        number = Atomic(0)
    }

    private init() {
        boot = { 0 }
        isUnlimited = true
        end = Atomic(.max)
        number = Atomic(0)
    }

    /// Of a store that no other process has: no clock is asked.
    public static let unlimited = Lease()

    /// Longer than what a loop does in a turn, in microseconds: who begins something with so much left can end it.
    public static let turn: Int64 = 50_000

    /// The term that runs; `nil`: the lease has lapsed, or has not begun.
    /// - Parameter margin: how much of it must be left, in microseconds.
    public func term(leaving margin: Int64 = 0) -> UInt64? {
        // The number behind the end: whoever sees the end of a new term sees its number.
        let end = end.load(ordering: .acquiring)
        guard end == .max || boot() < end - margin else { return nil }
        return number.load(ordering: .acquiring)
    }

    /// How much of it is left, in microseconds; 0: it has lapsed, or has not begun.
    package var left: Int64 {
        let end = end.load(ordering: .acquiring)
        return end == .max ? .max : max(end - boot(), 0)
    }

    /// The store has renewed the lease, and nobody has gone on without this process.
    /// - Parameter end: by the boot clock, in microseconds, and counted from before the store was asked.
    package func extend(to end: Int64) { self.end.store(end, ordering: .releasing) }

    /// The next term begins. Then each loop is to be told by a gap.
    /// - Parameter end: see ``extend(to:)``.
    /// - Returns: its number.
    @discardableResult
    package func beginTerm(until end: Int64) -> UInt64 {
        let term = number.add(1, ordering: .releasing).newValue
        self.end.store(end, ordering: .releasing)
        return term
    }

    /// How often it has lapsed: each term but the one that runs has ended so, from the moment at which it was not renewed.
    package var lapses: UInt64 {
        let last = lastTerm
        return term() == last && last > 0 ? last - 1 : last
    }

    /// The number of the last term, whether it runs or has ended: what a snapshot that is read now is of.
    package var lastTerm: UInt64 { number.load(ordering: .acquiring) }
}
