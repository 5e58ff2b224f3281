internal import Crypto
internal import JSON
internal import Push
internal import Web

/// Logging in and out, and an operator's own password.
extension AdminFront {
    /// `POST /psp/admin/sessions`: a name and a password for a token, which is told this once. Which of the two is wrong is told
    /// to nobody, neither by words nor by time.
    func logIn(_ request: Request<AdminFront>) async throws -> Reply {
        let (name, password) = try request.decoded(OperatorDecoder.login)
        let verifier = operators[name]?.password ?? decoy
        // Looked up again after that: the operator may be another one by now.
        guard try await isRight(password, verifier, of: name, in: request), let known = operators[name],
            known.password == verifier, !known.disabled
        else { throw Self.wrongPassword }
        let token = Random.secret()
        let now = store.clock.now
        let session = OperatorSession(
            key: OperatorSessionKey(token: token), name: name, createdAt: loop.wallClockMilliseconds,
            expires: now + sessionLength, client: request.exchange.clientAddress)
        let call = OperatorCall(
            .named(name, known.authority), client: request.exchange.clientAddress, requestID: request.id)
        let change = OperatorChange.logIn(session, by: verifier)
        _ = try await store.apply(change, by: call)
        record(AuditEntry(call, change.action, change.target), isInStore: true)
        return .success(201) { json in
            json.object { json in
                json.member("token", token)
                json.member("expires_at", shownTime(session.expires))
                json.member("role", known.authority.role.name)
                json.member("org_id", ifPresent: known.authority.scope?.text)
            }
        }
    }

    /// Whether that is the password; counts it where it is not. Refused before it is hashed where too many were wrong.
    /// - Throws: 2301, 2302.
    private func isRight(
        _ password: [UInt8], _ verifier: PasswordVerifier, of name: OperatorName, in request: Request<AdminFront>
    ) async throws(Refusal) -> Bool {
        let client = request.exchange.clientAddress
        if let client, !logins.admits(name.text, from: client, at: loop.monotonicNow) {
            throw Refusal(.rateLimited, .failedLogins)
        }
        // A disabled operator's, and that of nobody, takes the same time.
        let isRight = try await passwords.run { verifier.accepts(password) } && operators[name].map { !$0.disabled } ?? false
        if !isRight, let client { logins.noteFailure(of: name.text, from: client, at: loop.monotonicNow) }
        return isRight
    }

    private static var wrongPassword: Refusal { Refusal(.wrongToken, field: "password", .operatorPassword) }

    /// `GET /psp/admin/session`: who am I.
    func session(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let call = try operatorCall(of: request)
        let session = request.sessionKey.flatMap { operators.session($0) }
        return .success { json in
            json.object { json in
                json.member("name", ifPresent: call.name?.text)
                json.member("display_name", ifPresent: call.name.flatMap { operators[$0]?.displayName })
                json.member("role", call.role.name)
                json.member("org_id", ifPresent: call.scope?.text)
                json.member("session_id", ifPresent: session?.id.text)
                if let session { json.member("expires_at", shownTime(session.expires)) }
            }
        }
    }

    /// `DELETE /psp/admin/session`: logs out.
    func logOut(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let call = try operatorCall(of: request)
        guard let key = request.sessionKey else { throw Refusal(.notPermitted, .noSession) }
        let id = operators.session(key)?.id.text ?? ""
        _ = try await store.apply(.logOut(key), by: call)
        return .success { json in json.object { $0.member("session_id", id) } }
    }

    /// `PUT /psp/admin/session/password`: the operator's own; ends its other sessions.
    func setOwnPassword(_ request: Request<AdminFront>) async throws -> Reply {
        let (former, password) = try request.decoded(OperatorDecoder.newPassword)
        let call = try operatorCall(of: request)
        guard let key = request.sessionKey, let name = call.name, let verifier = operators[name]?.password else {
            throw Refusal(.notPermitted, .noSession)
        }
        guard try await isRight(former, verifier, of: name, in: request) else {
            throw Refusal(.wrongToken, field: "old_password", .operatorPassword)
        }
        let cost = passwordCost
        let made = try await passwords.run { PasswordVerifier(password: password, cost: cost) }
        _ = try await store.apply(.setPassword(made, insteadOf: verifier, keeping: key), by: call)
        return .success(202) { json in json.object { $0.member("name", name.text) } }
    }

    /// A store time as people see it, in Unix milliseconds.
    func shownTime(_ time: Int64) -> Int64 { time - store.clock.now + loop.wallClockMilliseconds }
}

extension Request where Service == AdminFront {
    fileprivate var sessionKey: OperatorSessionKey? {
        if case .session(let key, _, _) = caller { key } else { nil }
    }
}
