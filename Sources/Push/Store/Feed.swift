/// What a loop learns from the store, in the lane's order: the only way by which a message reaches a loop.
public enum FeedEvent: Sendable {
    /// Everything in `(after, upTo]` that concerns a loop. Contiguous with what came before.
    case entries(Lane, upTo: Position, [Entry])
    /// Something was left out (the loop fell too far behind, or the store failed over): every session of the lane catches up,
    /// and the directory is as given.
    case gap(Lane, now: Position, DirectorySnapshot)
}

/// One entry of the feed.
public enum Entry: Sendable {
    case row(Row)
    /// A device's membership changed at that position.
    case membership(DeviceHandle, Membership, at: Position)
    /// An organisation is new or has another parent (`nil`: it is a root).
    case organisation(OrgHandle, parent: OrgHandle?, at: Position)
    /// Cancelled or superseded: nothing more of it is handed to a connection.
    case ended(TaskID, at: Position)
    /// That session's connection is to be closed; the loop answers with ``DeliveryStore/detach(_:session:settledUpTo:settling:)``.
    case close(DeviceHandle, session: SessionID, CloseReason)
    /// An app was changed or removed; `nil` means removed.
    case app(AppKey, App?)
}

extension Entry {
    /// Where it stands in the lane's order; `nil` for what has no place in it and may be told at any time.
    public var position: Position? {
        switch self {
        case .row(let row): row.position
        case .membership(_, _, let position), .organisation(_, _, let position), .ended(_, let position): position
        case .close, .app: nil
        }
    }
}

/// Why the store closes a connection.
public enum CloseReason: Sendable {
    /// Another connection of the same device took over.
    case takenOver
    /// The device was deleted, has a new holder, or its secret changed.
    case withdrawn
}

/// A message or configuration on its way to devices. Immutable and shared: a class, so that offering it to ten thousand sessions
/// copies one reference.
public final class Row: Sendable {
    /// The push that it is, or refers to.
    public let task: TaskID
    /// Its place in the lane's order; of a reference, the reference's.
    public let position: Position
    /// Whom it addresses.
    public let target: RowTarget
    /// Which of the target's devices it is for.
    public let audience: Audience
    /// Unix milliseconds; `nil` never expires.
    public let expires: Int64?
    /// Where devices get it.
    public let topic: Topic
    /// The device's JSON, the same bytes for every device.
    public let payload: [UInt8]

    /// A row as devices get it.
    public init(
        task: TaskID, position: Position, target: RowTarget, audience: Audience, expires: Int64?, topic: Topic, payload: [UInt8]
    ) {
        self.task = task
        self.position = position
        self.target = target
        self.audience = audience
        self.expires = expires
        self.topic = topic
        self.payload = payload
    }
}

/// Whom a row addresses.
public enum RowTarget: Hashable, Sendable {
    case device(DeviceHandle)
    case user(UserHandle)
    case organisation(OrgHandle)
}

/// Which of a target's devices a row is for.
public struct Audience: Hashable, Sendable {
    /// Only test devices.
    public let testOnly: Bool
    /// iOS devices are left out: the payload breaks their limit.
    public let withoutIOS: Bool
    /// Only devices of that organisation and below: the scope of the app that pushes to a user.
    public let within: OrgHandle?

    /// Everybody in the target, unless said otherwise.
    public init(testOnly: Bool = false, withoutIOS: Bool = false, within: OrgHandle? = nil) {
        self.testOnly = testOnly
        self.withoutIOS = withoutIOS
        self.within = within
    }
}

/// The two topics to devices.
public enum Topic: UInt8, Hashable, Sendable {
    /// `psp/push/msg`
    case message
    /// `psp/push/config`
    case configuration
}

/// What decides whether a row concerns a device, apart from the organisation tree.
public struct Membership: Hashable, Sendable {
    /// The organisation that it is in; what is above follows from the tree.
    public let organisation: OrgHandle
    /// Whose it is, if anybody's.
    public let user: UserHandle?
    /// What it runs.
    public let platform: Platform
    /// Whether it is registered as a test device.
    public let test: Bool

    /// A device's membership at one position.
    public init(organisation: OrgHandle, user: UserHandle?, platform: Platform, test: Bool) {
        self.organisation = organisation
        self.user = user
        self.platform = platform
        self.test = test
    }
}

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
