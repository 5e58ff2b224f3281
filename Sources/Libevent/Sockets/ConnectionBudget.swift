internal import Synchronization

/// How many connections all listeners of a process may have together. Each is a descriptor, and what the rest of the process
/// needs must be left: a store that cannot open its file, or a listener that cannot accept, is no better than one that is down.
///
/// It counts and forbids nothing: who accepts asks, and makes room.
public final class ConnectionBudget: Sendable {
    /// The most connections.
    public let limit: Int
    private let taken = Atomic(0)

    /// How many connections beyond it each listener takes, to tell them that there is no room. They are not counted here.
    public static let surplus = 16

    /// - Parameter limit: at least 1.
    public init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    /// Counts a connection that has been accepted, or one that was surplus and has a place now.
    public func enter() { taken.add(1, ordering: .relaxed) }

    /// A connection has been closed, or is surplus.
    public func leave() { taken.subtract(1, ordering: .relaxed) }

    /// How many connections there are.
    public var count: Int { taken.load(ordering: .relaxed) }

    /// Whether the next one would be one too many.
    public var isFull: Bool { count >= limit }

    /// Whether there are more than may be.
    public var isExceeded: Bool { count > limit }
}
