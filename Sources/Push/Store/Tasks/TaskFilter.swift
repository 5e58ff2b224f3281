/// Which tasks an operator asks for; all that is given must hold.
public struct TaskFilter: Hashable, Sendable {
    /// Tasks of that app.
    public var app: AppKey?
    /// Tasks that address that organisation itself.
    public var organisation: OrgID?
    /// Created at or after, Unix milliseconds.
    public var from: Int64?
    /// Created before, Unix milliseconds.
    public var to: Int64?
    /// Every task, unless said otherwise.
    public init(app: AppKey? = nil, organisation: OrgID? = nil, from: Int64? = nil, to: Int64? = nil) {
        self.app = app
        self.organisation = organisation
        self.from = from
        self.to = to
    }
}
