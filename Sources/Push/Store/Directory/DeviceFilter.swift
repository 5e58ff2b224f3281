/// Which devices an operator asks for; all that is given must hold.
public struct DeviceFilter: Hashable, Sendable {
    /// Devices of that organisation itself.
    public var organisation: OrgID?
    /// Devices of that user.
    public var user: UserID?
    /// Devices of that organisation and of those below it.
    public var scope: OrgID?
    /// Those that are connected, or those that are not.
    public var online: Bool?
    /// Every device, unless said otherwise.
    public init(organisation: OrgID? = nil, user: UserID? = nil, scope: OrgID? = nil, online: Bool? = nil) {
        self.organisation = organisation
        self.user = user
        self.scope = scope
        self.online = online
    }
}
