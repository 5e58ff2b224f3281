/// What decides whether a row is for a device, apart from the organisation tree.
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
