internal import Synchronization

/// What a connection has met since it was made. Read from any thread.
public final class PostgresCounts: Sendable {
    private let unknownCount = Atomic(0)
    private let lossCount = Atomic(0)

    init() {}

    /// Calls of which nobody knows whether they were carried out.
    public var unknown: Int { unknownCount.load(ordering: .relaxed) }
    /// Sessions that were ready, and were lost.
    public var losses: Int { lossCount.load(ordering: .relaxed) }

    func countUnknown() { unknownCount.add(1, ordering: .relaxed) }
    func countLoss() { lossCount.add(1, ordering: .relaxed) }
}
