// What the audit log says of a change of operators.

extension OperatorChange {
    /// What was done.
    public var action: AuditAction {
        switch self {
        case .put: .operatorPut
        case .setPassword: .sessionPassword
        case .remove: .operatorRemove
        case .logIn: .sessionBegin
        case .logOut, .endSessions: .sessionEnd
        }
    }

    /// To whom; `nil` where that is the caller.
    public var target: AuditTarget? {
        switch self {
        case .put(let name, _), .remove(let name), .endSessions(let name, nil): AuditTarget(.operator, name.text)
        case .logIn(let session, _): AuditTarget(.session, session.id.text)
        case .endSessions(_, let id?): AuditTarget(.session, id.text)
        case .setPassword, .logOut: nil
        }
    }
}
