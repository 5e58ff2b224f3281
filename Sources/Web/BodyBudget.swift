/// How many bytes of large bodies a listener keeps at a time, over all of its connections. On the listener's loop only.
public final class BodyBudget {
    /// What is free.
    public private(set) var left: Int

    /// With that much in all.
    init(_ bytes: Int) { left = bytes }

    /// Keeps room free for a body, until what it returns is dropped.
    /// - Returns: `nil` where there is not as much.
    @usableFromInline
    func reserve(_ bytes: Int) -> Reservation? { bytes <= left ? Reservation(bytes, of: self) : nil }

    /// The room of one body.
    @usableFromInline
    final class Reservation {
        private let bytes: Int
        private let budget: BodyBudget

        fileprivate init(_ bytes: Int, of budget: BodyBudget) {
            (self.bytes, self.budget) = (bytes, budget)
            budget.left -= bytes
        }

        deinit { budget.left += bytes }
    }
}
