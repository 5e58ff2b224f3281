/// A page of the log for one device.
public struct Pending: Sendable {
    /// Those that concern it, are neither expired nor ended, oldest first. What is settled beyond the cursor may be among them.
    public let rows: [Row]
    /// The store has looked at everything up to here.
    public let lookedUpTo: Position
    /// As of `lookedUpTo`, or of any later position that `membershipAt` names.
    public let membership: Membership
    /// Membership entries of the feed up to here are already in `membership`.
    public let membershipAt: Position

    /// A page that ends at `lookedUpTo`.
    public init(rows: [Row], lookedUpTo: Position, membership: Membership, membershipAt: Position) {
        self.rows = rows
        self.lookedUpTo = lookedUpTo
        self.membership = membership
        self.membershipAt = membershipAt
    }
}
