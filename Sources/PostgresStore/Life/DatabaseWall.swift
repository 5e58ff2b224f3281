internal import Base
internal import Synchronization

/// The database's wall clock, as a node knows it without asking, for all its loops. Before the node has joined: this machine's.
final class DatabaseWall: Sendable {
    private let boot: @Sendable () -> Int64
    /// In microseconds at the boot; 0: not known.
    private let base = Atomic<Int64>(0)

    /// - Parameter boot: microseconds since the boot.
    init(boot: @escaping @Sendable () -> Int64) { self.boot = boot }

    /// Unix milliseconds.
    var now: Int64 {
        let base = base.load(ordering: .relaxed)
        return (base == 0 ? WallClock.microseconds : boot() + base) / 1_000
    }

    /// What was known before is nearer than this machine's while a node looks anew.
    func learn(_ time: NodeTime) { if time.isKnown { base.store(time.wallBase, ordering: .relaxed) } }
}
