public import Base

/// A calling project.
public struct App: Hashable, Sendable {
    /// The name it calls itself by in each request.
    public var key: AppKey
    /// For people.
    public var name: String
    /// What it signs with. Never shown again once it was made.
    public var masterSecret: String
    /// What it signed with before its secret was rotated: taken as well, until an operator ends that.
    public var formerSecret: String?
    /// What it may use.
    public var interfaces: Set<Interface>
    /// The organisation within which it may push; `nil` everywhere.
    public var scope: OrgID?
    /// Refused until it is enabled again (2007).
    public var disabled: Bool
    /// Only requests that are signed as a whole are taken; see ``RequestSignature``.
    public var hmacOnly: Bool
    /// From where it may call (2010); empty: from everywhere.
    public var addresses: [AddressRange]
    /// How much it may push, where that is another than usual.
    public var quota: PushQuota
    /// When its secrets were used last.
    public var secretUse = SecretUse()

    /// How many addresses and ranges it may name.
    public static let mostAddresses = 64

    /// An app as it is stored.
    public init(
        key: AppKey, name: String, masterSecret: String, formerSecret: String? = nil, interfaces: Set<Interface>,
        scope: OrgID?, disabled: Bool, hmacOnly: Bool = false, addresses: [AddressRange] = [], quota: PushQuota = PushQuota()
    ) {
        self.key = key
        self.name = name
        self.masterSecret = masterSecret
        self.formerSecret = formerSecret
        self.interfaces = interfaces
        self.scope = scope
        self.disabled = disabled
        self.hmacOnly = hmacOnly
        self.addresses = addresses
        self.quota = quota
    }
}

/// Which of an app's secrets.
public enum AppSecret: Hashable, Sendable {
    /// The one that it has.
    case master
    /// The one that it had before.
    case former
}

/// On which day each of an app's secrets was used last, so that an operator sees when nobody signs with the former one any more.
public struct SecretUse: Hashable, Sendable {
    /// Days since 1970-01-01 in UTC; `nil`: it was never used.
    public var master: Int64?
    /// Likewise.
    public var former: Int64?

    /// Neither was used.
    public init(master: Int64? = nil, former: Int64? = nil) { (self.master, self.former) = (master, former) }

    /// Whether the day is another than what is known: a later one, or an earlier one where the clock was days ahead.
    public func isNews(_ day: Int64, of secret: AppSecret) -> Bool {
        guard let known = self[secret] else { return true }
        return day > known || known > day + 1
    }

    /// The day of either.
    public subscript(secret: AppSecret) -> Int64? {
        get { secret == .master ? master : former }
        set { if secret == .master { master = newValue } else { former = newValue } }
    }
}
