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
        // Nobody is let in without the store, and who there is may be the past.
        guard !isCutOff else { throw Refusal(.unavailable) }
        let verifier = operators[name]?.password ?? decoy
        // Looked up again after that: the operator may be another one by now.
        let client = PasswordWorker.Client.stranger(request.exchange.clientAddress)
        guard try await isRight(password, verifier, of: name, for: client, in: request), let known = operators[name],
            known.password == verifier, !known.disabled
        else { throw Self.wrongPassword }
        let token = Random.secret()
        let now = store.clock.now
        let session = OperatorSession(
            key: OperatorSessionKey(token: token), holder: known.number, createdAt: loop.wallClockMilliseconds,
            expires: now + sessionLength, client: request.exchange.clientAddress)
        let call = OperatorCall(
            .named(known.identity, known.authority), client: request.exchange.clientAddress, requestID: request.id)
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

    /// Whether that is the password. It counts as wrong from before it is hashed until it has shown to be right, and is refused
    /// unhashed where too many were wrong.
    /// - Throws: 2301, 2302.
    private func isRight(
        _ password: [UInt8], _ verifier: PasswordVerifier, of name: OperatorName, for client: PasswordWorker.Client,
        in request: Request<AdminFront>
    ) async throws(Refusal) -> Bool {
        let (address, began) = (request.exchange.clientAddress, loop.monotonicNow)
        if let address, !logins.begin(name.text, from: address, at: began) {
            throw Refusal(.rateLimited, .failedLogins(retryAfter: LoginGuard.untilNextMinute(at: began)))
        }
        var isWrong = false
        defer { if !isWrong, let address { logins.takeBack(name.text, from: address, at: began) } }
        // A disabled operator's, and that of nobody, takes the same time.
        let isPassword = try await passwords.run(for: client) { verifier.accepts(password) }
        isWrong = !isPassword || operators[name]?.disabled ?? true
        return !isWrong
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
                json.member("display_name", ifPresent: call.number.flatMap { operators[$0]?.displayName })
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
        guard let key = request.sessionKey, let caller = call.identity, let verifier = operators[caller.number]?.password else {
            throw Refusal(.notPermitted, .noSession)
        }
        guard try await isRight(former, verifier, of: caller.name, for: .admitted, in: request) else {
            throw Refusal(.wrongToken, field: "old_password", .operatorPassword)
        }
        let cost = passwordCost
        let made = try await passwords.run(for: .admitted) { PasswordVerifier(password: password, cost: cost) }
        _ = try await store.apply(.setPassword(made, insteadOf: verifier, keeping: key), by: call)
        return .success(202) { json in json.object { $0.member("name", caller.name.text) } }
    }

    /// A store time as people see it, in Unix milliseconds.
    func shownTime(_ time: Int64) -> Int64 { time - store.clock.now + loop.wallClockMilliseconds }
}

extension Request where Service == AdminFront {
    fileprivate var sessionKey: OperatorSessionKey? {
        if case .session(let key, _, _) = caller { key } else { nil }
    }
}
