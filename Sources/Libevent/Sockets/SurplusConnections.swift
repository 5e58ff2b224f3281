/// The connections of one listener that came when there was no room, and are only told so. They are not counted in the budget of
/// those that have a place.
public struct SurplusConnections {
    private let budget: ConnectionBudget?
    /// How many there are.
    public private(set) var count = 0

    /// - Parameter budget: what the listener shares with others, if it does.
    public init(besides budget: ConnectionBudget?) { self.budget = budget }

    /// Takes a connection's place away, which it was counted with.
    /// - Returns: whether it may stay, as a surplus one; there are enough of them otherwise, and nothing has changed.
    public mutating func take() -> Bool {
        guard count < ConnectionBudget.surplus else { return false }
        count += 1
        budget?.leave()
        return true
    }

    /// One of them has a place after all.
    public mutating func place() {
        count -= 1
        budget?.enter()
    }

    /// A connection of the listener has been closed.
    public mutating func didClose(surplus isSurplus: Bool) {
        if isSurplus { count -= 1 } else { budget?.leave() }
    }
}
