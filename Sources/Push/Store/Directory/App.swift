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
