/// Apps and the organisation tree, true at `position`: small, held by every loop, kept true by the feed's entries.
public struct DirectorySnapshot: Sendable {
    /// Whose order `position` belongs to.
    public let lane: Lane
    /// The feed's entries after it are not yet in here.
    public let position: Position
    /// Every app.
    public let apps: [App]
    /// Every organisation with the one above it, in no order.
    public let organisations: [(handle: OrgHandle, parent: OrgHandle?)]

    /// What the directory held at `position`.
    public init(lane: Lane, position: Position, apps: [App], organisations: [(handle: OrgHandle, parent: OrgHandle?)]) {
        self.lane = lane
        self.position = position
        self.apps = apps
        self.organisations = organisations
    }
}
