internal import Synchronization

/// Whether all loops of the process know the directory. Until then none says that it is ready: a balancer asks one of them, and
/// what it sends then comes to any.
public final class Readiness: Sendable {
    private let begun: Atomic<Bool>

    /// Of a process whose loops have begun, unless it is said otherwise.
    public init(hasBegun: Bool = true) { begun = Atomic(hasBegun) }

    /// Since ``begin()``.
    public var hasBegun: Bool { begun.load(ordering: .relaxed) }

    /// The last loop has begun.
    public func begin() { begun.store(true, ordering: .relaxed) }
}
