public import Base

/// A change of the directory. A record that is new needs its required fields (2102 names the first that is missing);
/// `secretIfNew` is used when a new record comes without one, and `nil` makes that 2102.
public enum DirectoryChange: Hashable, Sendable {
    case putApp(AppKey, AppChange, secretIfNew: String?)
    /// Gives the app another secret; the one that it has is taken as well until ``dropFormerSecret(_:)``. Refused with 2208 while
    /// there is a former one already, unless the last one is replaced `again`.
    case rotateSecret(AppKey, secret: String, again: Bool)
    /// The former secret is taken no more.
    case dropFormerSecret(AppKey)
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
    /// Printable ASCII. Of a new one, made if absent. Set anew, no other one is taken any more.
    public var masterSecret: String?
    /// Required of a new one.
    public var interfaces: Set<Interface>?
    /// Cleared, it may push everywhere.
    public var scope: Patch<OrgID> = .keep
    /// Absent of a new one: enabled.
    public var disabled: Bool?
    /// Absent of a new one: validation tokens are taken.
    public var hmacOnly: Bool?
    /// From where it may call. Cleared, or absent of a new one: from everywhere.
    public var addresses: Patch<[AddressRange]> = .keep
    /// Pushes a second. Cleared, or absent of a new one: as is usual.
    public var perSecond: Patch<Int> = .keep
    /// Pushes a day, likewise.
    public var perDay: Patch<Int> = .keep
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
    /// The certificate that stands for the secret. Another holder and another secret clear it, unless it comes with them.
    public var certificate: Patch<CertificateFingerprint> = .keep
    /// Changes nothing.
    public init() {}
}

/// A field of a PUT: fields that are left out are kept.
public enum Patch<Value: Hashable & Sendable>: Hashable, Sendable {
    case keep
    /// `null`
    case clear
    case set(Value)

    /// What the field holds afterwards.
    public func value(after former: Value?) -> Value? {
        switch self {
        case .keep: former
        case .clear: nil
        case .set(let value): value
        }
    }
}

/// What a change did.
public enum ChangeResult: Hashable, Sendable {
    /// `secret`: the one it has, given or made; `nil` for an organisation.
    case created(secret: String?)
    case updated
    case removed
}
