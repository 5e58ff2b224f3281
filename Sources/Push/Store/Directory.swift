/// Apps, organisations, devices. A change is one whole call; it takes effect at one position of each lane that it concerns, and
/// returns when every loop has applied it.
public protocol Directory: Sendable {
    /// - Throws: `refused` with 2101 to 2104, 2201, 2203, 2206, 2207.
    func apply(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult

    /// Changes in order, each alone: one that is refused does not touch its neighbours. Applied in small slices between pushes.
    func apply(_ changes: [DirectoryChange]) async throws(StoreError) -> [Result<ChangeResult, Refusal>]

    /// - Throws: `refused` with 2206.
    func app(_ key: AppKey) async throws(StoreError) -> App
    /// - Throws: `refused` with 2203.
    func organisation(_ id: OrgID) async throws(StoreError) -> Organisation
    /// - Throws: `refused` with 2201.
    func device(_ token: DeviceToken) async throws(StoreError) -> Device

    func apps(after: PageToken?, limit: Int) async throws(StoreError) -> Page<App>
    func organisations(after: PageToken?, limit: Int) async throws(StoreError) -> Page<Organisation>
    func devices(_ filter: DeviceFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<Device>
}

/// A calling project.
public struct App: Hashable, Sendable {
    /// The name it calls itself by in each request.
    public var key: AppKey
    /// For people.
    public var name: String
    /// What it signs with. Never shown again once it was made.
    public var masterSecret: String
    /// What it may use.
    public var interfaces: Set<Interface>
    /// The organisation within which it may push; `nil` everywhere.
    public var scope: OrgID?
    /// Refused until it is enabled again (2007).
    public var disabled: Bool

    /// An app as it is stored.
    public init(key: AppKey, name: String, masterSecret: String, interfaces: Set<Interface>, scope: OrgID?, disabled: Bool) {
        self.key = key
        self.name = name
        self.masterSecret = masterSecret
        self.interfaces = interfaces
        self.scope = scope
        self.disabled = disabled
    }
}

/// An organisation with its subtree's counters.
public struct Organisation: Hashable, Sendable {
    /// Its name in requests.
    public var id: OrgID
    /// For people.
    public var name: String
    /// The one above; `nil` for a root.
    public var parent: OrgID?
    /// Devices of it and of everything below it.
    public var devices: Int
    /// Those of them that are connected.
    public var online: Int

    /// An organisation as of one moment.
    public init(id: OrgID, name: String, parent: OrgID?, devices: Int, online: Int) {
        self.id = id
        self.name = name
        self.parent = parent
        self.devices = devices
        self.online = online
    }
}

/// A registered device, without its secret.
public struct Device: Hashable, Sendable {
    /// The name that it connects with.
    public var token: DeviceToken
    /// What it runs; never changes.
    public var platform: Platform
    /// The organisation that it is in.
    public var organisation: OrgID
    /// Who holds it, if anybody.
    public var user: UserID?
    /// Whether pushes in test mode reach it.
    public var test: Bool
    /// Whether it is connected now, to any node.
    public var online: Bool
    /// Unix milliseconds; `nil` when it never connected.
    public var lastSeen: Int64?

    /// A device as of one moment.
    public init(
        token: DeviceToken, platform: Platform, organisation: OrgID, user: UserID?, test: Bool, online: Bool, lastSeen: Int64?
    ) {
        self.token = token
        self.platform = platform
        self.organisation = organisation
        self.user = user
        self.test = test
        self.online = online
        self.lastSeen = lastSeen
    }
}

/// A field of a PUT: fields that are left out are kept.
public enum Patch<Value: Hashable & Sendable>: Hashable, Sendable {
    case keep
    /// `null`
    case clear
    case set(Value)
}

/// A change of the directory. A record that is new needs its required fields (2102 names the first that is missing);
/// `secretIfNew` is used when a new record comes without one, and `nil` makes that 2102.
public enum DirectoryChange: Hashable, Sendable {
    case putApp(AppKey, AppChange, secretIfNew: String?)
    case putOrganisation(OrgID, OrganisationChange)
    case putDevice(DeviceToken, DeviceChange, secretIfNew: String?)
    case removeApp(AppKey)
    /// Refused with 2207 while it has devices or children; its current configurations are cancelled.
    case removeOrganisation(OrgID)
    case removeDevice(DeviceToken)
}

/// The fields of `PUT /psp/admin/apps/{appkey}`.
public struct AppChange: Hashable, Sendable {
    /// For people. Required of a new one.
    public var name: String?
    /// Printable ASCII. Of a new one, made if absent.
    public var masterSecret: String?
    /// Required of a new one.
    public var interfaces: Set<Interface>?
    /// Cleared, it may push everywhere.
    public var scope: Patch<OrgID> = .keep
    /// Absent of a new one: enabled.
    public var disabled: Bool?
    /// Changes nothing.
    public init() {}
}

/// The fields of `PUT /psp/admin/orgs/{org_id}`.
public struct OrganisationChange: Hashable, Sendable {
    /// For people. Required of a new one.
    public var name: String?
    /// Cleared, it becomes a root.
    public var parent: Patch<OrgID> = .keep
    /// Changes nothing.
    public init() {}
}

/// The fields of `PUT /psp/admin/devices/{token}`.
public struct DeviceChange: Hashable, Sendable {
    /// Never changes once set (2103).
    public var platform: Platform?
    /// Required of a new one.
    public var organisation: OrgID?
    /// Changed or cleared after it was set, it is another holder's device.
    public var user: Patch<UserID> = .keep
    /// Absent of a new one: false.
    public var test: Bool?
    /// Printable ASCII. Of a new one, made if absent.
    public var secret: String?
    /// Changes nothing.
    public init() {}
}

/// What a change did.
public enum ChangeResult: Hashable, Sendable {
    /// `secret`: the one it has, given or made; `nil` for an organisation.
    case created(secret: String?)
    case updated
    case removed
}

/// Which devices an operator asks for; all that is given must hold.
public struct DeviceFilter: Hashable, Sendable {
    /// Devices of that organisation itself.
    public var organisation: OrgID?
    /// Devices of that user.
    public var user: UserID?
    /// Those that are connected, or those that are not.
    public var online: Bool?
    /// Every device, unless said otherwise.
    public init(organisation: OrgID? = nil, user: UserID? = nil, online: Bool? = nil) {
        self.organisation = organisation
        self.user = user
        self.online = online
    }
}
