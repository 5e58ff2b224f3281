/// What becomes of a new connection where there are as many as there may be.
public enum ConnectionPressure: Hashable, Sendable {
    /// Another one that said nothing, or did not read, was closed for it.
    case closedSilent
    /// None could go, so the new one is only told that there is no room.
    case surplus
    /// There are too many of these as well: the new one is closed.
    case dropped
}

/// How many connections clients of one kind (callers, devices) have on a loop, by whichever listener they came: one bound for
/// all.
///
/// It holds no connection. Its owner says which one goes for another; what that means for the new one is decided here, for every
/// kind alike. Connections that are only told that there is no room are counted beside those that have a place, and not in the
/// budget.
public final class ConnectionRoom {
    /// The most connections that have a place.
    public let limit: Int
    /// How many have a place.
    public private(set) var count = 0
    /// How many have none, and are only told so.
    public private(set) var surplus = 0
    private let budget: ConnectionBudget?

    /// - Parameter budget: what this kind shares with others, over all loops; nil: more than will ever be needed.
    public init(limit: Int = .max, budget: ConnectionBudget?) { (self.limit, self.budget) = (limit, budget) }

    /// A connection has been accepted, and has a place unless ``makeRoom(byClosing:)`` takes it away.
    public func enter() {
        count += 1
        budget?.enter()
    }

    /// A connection has been closed.
    public func leave(surplus isSurplus: Bool) {
        if isSurplus {
            surplus -= 1
        } else {
            count -= 1
            budget?.leave()
        }
    }

    /// Whether there will be no place for one more, when so many have come that have not entered yet.
    public func isFull(with pending: Int = 0) -> Bool {
        if let budget, budget.count + pending >= budget.limit { return true }
        return count + pending >= limit
    }

    /// Whether more have a place than may.
    public var isOverfull: Bool { count > limit || budget?.isExceeded == true }

    /// Makes room for a connection that has entered.
    /// - Parameter closeAnother: closes the one that goes first, and returns whether it had a place: one that had none leaves
    ///   none. Nil: there was none that could go.
    /// - Returns: what becomes of the new one; nil: there is room. It has no place any more with `surplus`, which its owner
    ///   notes, and it is for the owner to close with `dropped`.
    public func makeRoom(byClosing closeAnother: () -> Bool?) -> ConnectionPressure? {
        guard isOverfull else { return nil }
        if closeAnother() == true { return .closedSilent }
        guard surplus < ConnectionBudget.surplus else { return .dropped }
        surplus += 1
        count -= 1
        budget?.leave()
        return .surplus
    }

    /// Gives a place to one that had none, if there is one by now.
    public func place() -> Bool {
        guard !isFull() else { return false }
        surplus -= 1
        enter()
        return true
    }
}
