public import Base

/// Which tasks an operator or a caller asks for; all that is given must hold.
public struct TaskFilter: Hashable, Sendable {
    /// Tasks of that app itself, which asks for its own: not those of one that had its key before.
    public var caller: AppKey?
    /// Tasks of every app that has or had that key.
    public var app: AppKey?
    /// Tasks that address that organisation itself.
    public var organisation: OrgID?
    /// Tasks that an operator sees who is confined to that organisation: see ``TaskStore/report(_:to:within:)``.
    public var scope: OrgID?
    /// Tasks with that tag.
    public var tag: ExactText?
    /// Tasks with that `out_biz_no`.
    public var outBizNo: ExactText?
    /// Created at or after, Unix milliseconds.
    public var from: Int64?
    /// Created before, Unix milliseconds.
    public var to: Int64?
    /// Every task, unless said otherwise.
    public init(
        caller: AppKey? = nil, app: AppKey? = nil, organisation: OrgID? = nil, scope: OrgID? = nil, tag: ExactText? = nil,
        outBizNo: ExactText? = nil, from: Int64? = nil, to: Int64? = nil
    ) {
        self.caller = caller
        self.app = app
        self.organisation = organisation
        self.scope = scope
        self.tag = tag
        self.outBizNo = outBizNo
        self.from = from
        self.to = to
    }
}
