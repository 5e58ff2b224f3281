/// What an operator did, as the audit log names it. Not among them, and recorded nowhere: probes, metrics, the server's status,
/// its clock and its log level, which consoles and monitors ask for all the time.
public enum AuditAction: String, Hashable, Sendable, CaseIterable {
    // Apps.
    case appPut = "app.put"
    case appRemove = "app.remove"
    case appRotateSecret = "app.rotate_secret"
    case appDropFormerSecret = "app.drop_former_secret"
    case appRead = "app.read"
    case appList = "app.list"
    // Organisations.
    case organisationPut = "org.put"
    case organisationRemove = "org.remove"
    case organisationRead = "org.read"
    case organisationList = "org.list"
    // Devices.
    case devicePut = "device.put"
    case deviceRemove = "device.remove"
    case deviceDisconnect = "device.disconnect"
    case deviceRead = "device.read"
    case deviceList = "device.list"
    // Pushes and tasks.
    case push
    /// What a push would do.
    case pushPreview = "push.dry_run"
    case taskCancel = "task.cancel"
    case taskRead = "task.read"
    case taskList = "task.list"
    case taskRecipients = "task.recipients"
    case taskExplain = "task.explain"
    // Imports.
    case importRun = "import.run"
    case importRead = "import.read"
    case importList = "import.list"
    // Operators and their log-ins.
    case operatorPut = "operator.put"
    case operatorRemove = "operator.remove"
    case operatorRead = "operator.read"
    case operatorList = "operator.list"
    case sessionBegin = "session.begin"
    case sessionEnd = "session.end"
    case sessionPassword = "session.password"
    case sessionRead = "session.read"
    case sessionList = "session.list"
    // The server.
    case clockAccept = "clock.accept"
    case logLevelPut = "log_level.put"
    case traceBegin = "trace.begin"
    case traceEnd = "trace.end"
    case traceFollow = "trace.follow"
    case traceList = "trace.list"
    // The audit log itself.
    case auditRead = "audit.read"
    case auditRefusals = "audit.refusals"
    /// The server's own entry: so many others are missing, since there was no room for them.
    case auditLost = "audit.lost"
}

extension AuditAction {
    /// Whether it changes nothing.
    public var isRead: Bool {
        switch self {
        case .appRead, .appList, .organisationRead, .organisationList, .deviceRead, .deviceList, .taskRead, .taskList,
            .pushPreview, .taskRecipients, .taskExplain, .importRead, .importList, .operatorRead, .operatorList, .sessionRead,
            .sessionList,
            .traceFollow, .traceList, .auditRead, .auditRefusals:
            true
        default: false
        }
    }

    /// Of what concerns the caller itself and names nobody: the caller.
    public func ownTarget(of call: OperatorCall) -> AuditTarget? {
        switch self {
        case .sessionEnd, .sessionPassword: call.name.map { AuditTarget(.operator, $0.text) }
        default: nil
        }
    }

    /// Whether it is done by a call of the store, which writes the entry with it.
    public var isOfStore: Bool {
        switch self {
        case .logLevelPut, .traceBegin, .traceEnd: false
        default: !isRead
        }
    }
}
