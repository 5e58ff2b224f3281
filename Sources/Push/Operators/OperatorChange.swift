public import Crypto

/// A change of operators and their sessions.
public enum OperatorChange: Hashable, Sendable {
    /// A new one needs its display name, its role and its password (2102). Another password and ``OperatorFields/disabled`` end
    /// the operator's sessions; a role or a scope holds for them from then on.
    case put(OperatorName, OperatorFields)
    /// Ends its sessions.
    case remove(OperatorName)
    /// An operator's own new password, in place of the one that it has shown; ends its other sessions.
    case setPassword(PasswordVerifier, insteadOf: PasswordVerifier, keeping: OperatorSessionKey)
    /// The operator who calls has shown its password, and begins a session. Beyond ``Operator/mostSessions`` the oldest ends.
    case logIn(OperatorSession, by: PasswordVerifier)
    /// The operator who calls ends that session of its own.
    case logOut(OperatorSessionKey)
    /// Withdraws a session of an operator; all of them where none is named.
    case endSessions(OperatorName, OperatorSessionID?)
}

/// The fields of `PUT /psp/admin/operators/{name}`.
public struct OperatorFields: Hashable, Sendable {
    /// For people. Required of a new one.
    public var displayName: String?
    /// Required of a new one.
    public var role: Role?
    /// Cleared, or absent of a new one: everywhere.
    public var scope: Patch<OrgID> = .keep
    /// Absent of a new one: enabled.
    public var disabled: Bool?
    /// Required of a new one.
    public var password: PasswordVerifier?
    /// Changes nothing.
    public init() {}
}

// What changes make of an operator: the same in every store.

extension Operator {
    /// A new operator. Whether its scope exists, the store says.
    /// - Throws: 2102 with all that is missing.
    public init(
        _ name: OperatorName, _ fields: OperatorFields, number: OperatorNumber, at now: Int64
    ) throws(Refusal) {
        guard let displayName = fields.displayName, let role = fields.role, let password = fields.password else {
            throw Refusal(lacking: [
                ("display_name", fields.displayName == nil), ("role", fields.role == nil), ("password", fields.password == nil),
            ])
        }
        self.init(
            number: number, name: name, displayName: displayName, authority: Authority(role, in: fields.scope.value(after: nil)),
            disabled: fields.disabled ?? false, password: password, createdAt: now, lastLogin: nil)
    }

    /// Sets the fields that are given.
    public mutating func apply(_ fields: OperatorFields) {
        if let displayName = fields.displayName { self.displayName = displayName }
        if let role = fields.role { authority.role = role }
        authority.scope = fields.scope.value(after: authority.scope)
        if let disabled = fields.disabled { self.disabled = disabled }
        if let password = fields.password { self.password = password }
    }

    /// Whether a change ends the sessions that there are.
    public func losesSessions(by fields: OperatorFields) -> Bool { fields.password != nil || fields.disabled == true }
}
