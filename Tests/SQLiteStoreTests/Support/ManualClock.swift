import Synchronization

/// Unix time in milliseconds that only a test moves.
final class ManualClock: Sendable {
    private let time: Atomic<Int64>

    init(_ time: Int64 = 1_800_000_000_000) { self.time = Atomic(time) }

    var now: Int64 { time.load(ordering: .sequentiallyConsistent) }

    func advance(_ milliseconds: Int64) { time.add(milliseconds, ordering: .sequentiallyConsistent) }
}
