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
    /// That node, where it is connected.
    public var node: NodeName?
    /// Unix milliseconds; `nil` when it never connected.
    public var lastSeen: Int64?
    /// The certificate that stands for its secret.
    public var certificate: CertificateFingerprint?

    /// A device as of one moment.
    public init(
        token: DeviceToken, platform: Platform, organisation: OrgID, user: UserID?, test: Bool, online: Bool,
        node: NodeName? = nil,
        lastSeen: Int64?, certificate: CertificateFingerprint? = nil
    ) {
        self.token = token
        self.platform = platform
        self.organisation = organisation
        self.user = user
        self.test = test
        self.online = online
        self.node = node
        self.lastSeen = lastSeen
        self.certificate = certificate
    }
}
