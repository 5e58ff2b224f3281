/// Apps, operators and the organisation tree, true at `position`: small, held by every loop, kept true by the feed's entries.
public struct DirectorySnapshot: Sendable {
    /// Whose order `position` belongs to.
    public let lane: Lane
    /// The feed's entries after it are not yet in here.
    public let position: Position
    /// Every app.
    public let apps: [App]
    /// Every organisation with the one above it, in no order.
    public let organisations: [(handle: OrgHandle, parent: OrgHandle?)]
    /// Every operator.
    public let operators: [Operator]
    /// Every session of theirs that has not ended; those whose time is over may be among them.
    public let operatorSessions: [OperatorSession]
    /// Of which term of the ``Lease`` it is: a loop that has it knows everything that went on before that term.
    public let term: UInt64

    /// What the directory held at `position`.
    public init(
        lane: Lane, position: Position, apps: [App], organisations: [(handle: OrgHandle, parent: OrgHandle?)],
        operators: [Operator] = [], operatorSessions: [OperatorSession] = [], term: UInt64 = 0
    ) {
        self.lane = lane
        self.position = position
        self.apps = apps
        self.organisations = organisations
        self.operators = operators
        self.operatorSessions = operatorSessions
        self.term = term
    }
}
