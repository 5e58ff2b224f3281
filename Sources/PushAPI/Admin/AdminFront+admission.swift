public import Base
internal import Crypto
internal import Libevent
public import Push
public import Web

/// Who calls, and whether its role allows the route. What it may touch, the store judges.
extension AdminFront {
    /// What a route asks of a caller.
    public enum Access: Hashable, Sendable {
        /// Nothing: probes, and what one logs in by.
        case anyone
        /// That role or a higher one. What is outside of the caller's scope does not exist there.
        case scoped(Role)
        /// The same, and no scope: what is told is of the whole server.
        case unscoped(Role)
    }

    /// Who calls.
    public enum Caller: Sendable {
        /// Somebody of whom nothing was asked.
        case anyone
        /// Whoever has the installation's token.
        case installation
        /// An operator, by a session.
        case session(OperatorSessionKey, OperatorIdentity, Authority)
    }

    /// The bearer token, once (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1): the installation's, compared in constant
    /// time, or that of a session, which is looked up by its digest.
    public func admit(
        _ headers: RequestHeaders, to access: Access, calling call: Call, from client: () -> IPAddress?
    ) throws -> Caller {
        guard access != .anyone else { return .anyone }
        let caller = try identify(headers)
        if case .session(_, _, let authority) = caller { try access.require(of: authority) }
        return caller
    }

    /// Whose token that is.
    /// - Throws: 2005.
    func identify(_ headers: RequestHeaders) throws -> Caller {
        guard headers.authorization.count == 1, let header = headers.authorization.first else { throw Self.wrongToken }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Self.wrongToken }
        let token = String(parts[1])
        if ConstantTime.equal(token, self.token) { return .installation }
        let key = OperatorSessionKey(token: token)
        guard let holder = operators.holder(of: key, at: store.clock.now) else {
            // Whoever uses a console would have to log in again.
            if operators.session(key) == nil, isCutOff { throw Refusal(.unavailable) }
            throw Self.wrongToken
        }
        return .session(key, holder.identity, holder.authority)
    }

    /// A session may have ended, or its operator have another role or scope, while the body came.
    public func confirm(_ caller: Caller, to access: Access) throws -> Caller {
        guard case .session(let key, _, _) = caller else { return caller }
        guard let holder = operators.holder(of: key, at: store.clock.now) else { throw Self.wrongToken }
        try access.require(of: holder.authority)
        return .session(key, holder.identity, holder.authority)
    }

    static var wrongToken: Rejection { .unauthorized(scheme: "Bearer") }

    /// On whose behalf a request is made, and from where. Its body may have taken a while to come: what was admitted by its head
    /// is looked at again.
    /// - Throws: 2005 where the session has ended meanwhile, 2011 where the role does not do any more.
    func operatorCall(of request: Request<AdminFront>) throws -> OperatorCall {
        let caller = try confirm(request.caller, to: request.route.access)
        guard let call = call(of: caller, by: request.exchange, id: request.id) else { throw Self.wrongToken }
        return call
    }

    /// The same as it was when the request was admitted, for whoever only notes it; `nil` where nothing was asked of the caller.
    func admittedCall(of request: Request<AdminFront>) -> OperatorCall? {
        call(of: request.caller, by: request.exchange, id: request.id)
    }

    /// The same of any request.
    func call(of caller: Caller, by exchange: HTTPExchange, id: String) -> OperatorCall? {
        switch caller {
        case .anyone: nil
        case .installation: OperatorCall(.installation, client: exchange.clientAddress, requestID: id)
        case .session(_, let identity, let authority):
            OperatorCall(.named(identity, authority), client: exchange.clientAddress, requestID: id)
        }
    }

    /// The organisation to which what a request looks at is confined; `nil`: to none.
    func scope(of request: Request<AdminFront>) throws -> OrgID? { try operatorCall(of: request).scope }
}

extension AdminFront.Access {
    /// - Throws: 2011.
    func require(of authority: Authority) throws(Refusal) {
        switch self {
        case .anyone: return
        case .scoped(let role):
            guard authority.role >= role else { throw Refusal(.notPermitted, .role(role)) }
        case .unscoped(let role):
            guard authority.role >= role else { throw Refusal(.notPermitted, .role(role)) }
            guard authority.scope == nil else { throw Refusal(.notPermitted, .unscoped) }
        }
    }
}
