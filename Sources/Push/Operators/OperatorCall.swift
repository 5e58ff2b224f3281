public import Base

/// A call of an operator: on whose behalf it is made, and from where. The store judges by it what the call may touch, in the
/// transaction that changes something.
public struct OperatorCall: Hashable, Sendable {
    /// Who calls.
    public enum Caller: Hashable, Sendable {
        /// Whoever has the installation's one admin token, and may do everything.
        case installation
        case named(OperatorIdentity, Authority)
    }

    /// Who calls.
    public let caller: Caller
    /// From where, if that is known.
    public let client: IPAddress?
    /// By what the request is called in the log and in its reply.
    public let requestID: String

    /// A call.
    public init(_ caller: Caller, client: IPAddress?, requestID: String) {
        self.caller = caller
        self.client = client
        self.requestID = requestID
    }

    /// What the caller may do.
    public var role: Role {
        switch caller {
        case .installation: .administrator
        case .named(_, let authority): authority.role
        }
    }

    /// The organisation to which the call is confined, with all that is below it; `nil`: to none. What is outside is to the call
    /// as if it did not exist.
    public var scope: OrgID? {
        switch caller {
        case .installation: nil
        case .named(_, let authority): authority.scope
        }
    }

    /// Who it is; `nil` for the installation's token.
    public var identity: OperatorIdentity? {
        switch caller {
        case .installation: nil
        case .named(let identity, _): identity
        }
    }

    /// The caller's number, by which what it may do is looked up; `nil` for the installation's token.
    public var number: OperatorNumber? { identity?.number }

    /// The caller's name, for people; `nil` for the installation's token.
    public var name: OperatorName? { identity?.name }
}

/// What an operator may do, and where.
public struct Authority: Hashable, Sendable {
    /// What it may do.
    public var role: Role
    /// The organisation to which it is confined, with all that is below it; `nil`: to none.
    public var scope: OrgID?

    /// A role in a scope.
    public init(_ role: Role, in scope: OrgID?) {
        self.role = role
        self.scope = scope
    }
}
