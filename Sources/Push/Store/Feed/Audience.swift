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
