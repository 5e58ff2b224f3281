public import Base

/// One line of the audit log: who did what, from where, to what, and what came of it. No secret, password or payload is in it.
public struct AuditEntry: Hashable, Sendable {
    /// Who.
    public enum Caller: Hashable, Sendable {
        /// Whoever has the installation's one admin token.
        case installation
        case named(OperatorIdentity)
        /// The server itself.
        case server
    }

    /// Who.
    public let caller: Caller
    /// The organisation to which the caller was confined.
    public let scope: OrgID?
    /// From where, if that is known.
    public let client: IPAddress?
    /// By what the request was called in its reply.
    public let requestID: String?
    /// What.
    public let action: AuditAction
    /// To what, unless that is a task alone.
    public let target: AuditTarget?
    /// The task that it concerns, fit to be shown.
    public private(set) var task: String?
    /// 0, or the number of the error that it was answered with.
    public var code: Int
    /// What the call did to its target, field by field; beside a push, on behalf of which app and by which interface it was made.
    public var details: [AuditDetail]

    /// What an operator did.
    public init(
        _ call: OperatorCall, _ action: AuditAction, _ target: AuditTarget? = nil, task: TaskID? = nil, code: Int = 0,
        details: [AuditDetail] = []
    ) {
        self.init(
            call.identity.map(Caller.named) ?? .installation, scope: call.scope, client: call.client, requestID: call.requestID,
            action, target, task: task.map(Self.shown), code: code, details: details)
    }

    private static func shown(_ task: TaskID) -> String { Excerpt.shown(task.text, bytes: AuditTarget.longest) }

    /// The call has made that task.
    public mutating func name(_ task: TaskID) { self.task = Self.shown(task) }

    /// An entry with everything that is in it.
    public init(
        _ caller: Caller, scope: OrgID?, client: IPAddress?, requestID: String?, _ action: AuditAction, _ target: AuditTarget?,
        task: String?, code: Int, details: [AuditDetail] = []
    ) {
        self.caller = caller
        self.scope = scope
        self.client = client
        self.requestID = requestID
        self.action = action
        self.target = target
        self.task = task
        self.code = code
        self.details = details
    }

    /// So many entries are missing.
    public static func lost(_ count: Int) -> AuditEntry {
        AuditEntry(
            .server, scope: nil, client: nil, requestID: nil, .auditLost, AuditTarget(.entries, "\(count)"),
            task: nil, code: 0)
    }
}

extension AuditEntry {
    /// A push on behalf of an app.
    public init(_ call: OperatorCall, _ action: AuditAction, _ push: PushRequest, task: TaskID? = nil) {
        self.init(
            call, action, AuditTarget(push.target), task: task,
            details: [AuditDetail("appkey", to: push.app.text), AuditDetail("interface", to: push.interface.rawValue)])
    }

    /// Whether it is one of those of which the same is recorded once a minute: see ``AuditThrottle``.
    public var isThrottled: Bool { action.isRead || code != 0 || action == .deviceDisconnect }
}

extension AuditEntry.Caller {
    /// As the interface has it.
    public var kind: String {
        switch self {
        case .installation: "installation"
        case .named: "operator"
        case .server: "server"
        }
    }

    /// The operator's name.
    public var name: OperatorName? { identity?.name }

    /// Which operator.
    public var identity: OperatorIdentity? { if case .named(let identity) = self { identity } else { nil } }

    /// What ``kind`` and ``identity`` tell of one; `nil` for what they tell of none.
    public init?(kind: String, _ identity: OperatorIdentity?) {
        switch (kind, identity) {
        case ("installation", nil): self = .installation
        case ("operator", let identity?): self = .named(identity)
        case ("server", nil): self = .server
        default: return nil
        }
    }
}

/// What was done something to.
public struct AuditTarget: Hashable, Sendable {
    /// What it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case app
        case organisation = "org"
        case device
        case user
        case address
        case `import`
        case `operator`
        case session
        case trace
        /// So many missing entries.
        case entries
    }

    /// What it is.
    public let kind: Kind
    /// Its name as the call has it, fit to be shown: see ``Excerpt/shown(_:bytes:)``.
    public let id: String

    /// As much of a name as any identifier has, in bytes.
    static let longest = 128

    /// A target by the name that was sent, whatever it is.
    public init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = Excerpt.shown(id, bytes: Self.longest)
    }

    /// Whom a push addresses.
    public init(_ target: PushRequest.Target) {
        switch target {
        case .device(let token): self.init(.device, token.text)
        case .user(let user): self.init(.user, user.text)
        case .organisation(let id): self.init(.organisation, id.text)
        }
    }
}

/// An entry as a store keeps it.
public struct AuditRecord: Hashable, Sendable {
    /// Its number: one that comes later has a greater one.
    public let number: Int64
    /// When it was written, Unix milliseconds.
    public let time: Int64
    /// At which node the call was made, or what the server tells has happened; `nil` where no other node has the store.
    public let node: NodeName?
    /// What is in it.
    public let entry: AuditEntry

    /// A record.
    public init(number: Int64, time: Int64, node: NodeName? = nil, entry: AuditEntry) {
        self.number = number
        self.time = time
        self.node = node
        self.entry = entry
    }
}

/// Which entries are listed; what is `nil` chooses nothing.
public struct AuditFilter: Hashable, Sendable {
    /// As ``AuditEntry/Caller/kind`` has it.
    public var caller: String?
    /// Of that operator.
    public var name: OperatorName?
    /// From there.
    public var client: IPAddress?
    /// At that node.
    public var node: NodeName?
    /// That.
    public var action: AuditAction?
    /// To what has that name.
    public var target: String?
    /// To that task.
    public var task: String?
    /// With that result.
    public var code: Int?
    /// `from` ≤ time < `to`, Unix milliseconds.
    public var from: Int64?
    /// The end of that.
    public var to: Int64?

    /// All of them.
    public init() {}
}
