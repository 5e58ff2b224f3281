internal import Crypto
internal import JSON
internal import Push
internal import Web

/// Operators, for administrators: who there is, what each may do, and who has logged in.
extension AdminFront {
    /// `PUT /psp/admin/operators/{name}`
    func putOperator(_ request: Request<AdminFront>) async throws -> Reply {
        let name: OperatorName = try request.identifier("name")
        var (fields, password) = try request.decoded(OperatorDecoder.fields)
        if let password {
            let cost = passwordCost
            fields.password = try await passwords.run(for: .admitted) { PasswordVerifier(password: password, cost: cost) }
        }
        return .changed(try await store.apply(.put(name, fields), by: try operatorCall(of: request)), "name", name.text)
    }

    /// `GET /psp/admin/operators/{name}`
    func showOperator(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let found = try known(request)
        return .success { $0.value(found) }
    }

    /// `GET /psp/admin/operators`
    func listOperators(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        return .page(operators.page(after: query.after, limit: try query.limit())) { $0.value($1) }
    }

    /// `DELETE /psp/admin/operators/{name}`
    func removeOperator(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let name: OperatorName = try request.identifier("name")
        return .changed(try await store.apply(.remove(name), by: try operatorCall(of: request)), "name", name.text)
    }

    /// `GET /psp/admin/operators/{name}/sessions`
    func listSessions(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let sessions = operators.sessions(of: try known(request).number, at: store.clock.now)
        return .page(Page(items: sessions, next: nil)) { json, session in
            json.object { json in
                json.member("session_id", session.id.text)
                json.member("created_at", session.createdAt)
                json.member("expires_at", shownTime(session.expires))
                json.member("address", ifPresent: session.client?.description)
            }
        }
    }

    /// `DELETE /psp/admin/operators/{name}/sessions`: all of them.
    func endSessions(_ request: Request<AdminFront>) async throws -> Reply { try await end(nil, request) }

    /// `DELETE /psp/admin/operators/{name}/sessions/{session_id}`
    func endSession(_ request: Request<AdminFront>) async throws -> Reply {
        try await end(OperatorSessionID(request.decodedParameter("session_id") ?? ""), request)
    }

    private func end(_ id: OperatorSessionID?, _ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let name: OperatorName = try request.identifier("name")
        return .changed(try await store.apply(.endSessions(name, id), by: try operatorCall(of: request)), "name", name.text)
    }

    private func known(_ request: Request<AdminFront>) throws(Refusal) -> Operator {
        guard let found = operators[try request.identifier("name")] else { throw Refusal(.noSuchOperator, field: "name") }
        return found
    }
}

extension JSONWriter {
    /// Writes an operator as others see it: without what its password left.
    fileprivate mutating func value(_ one: Operator) {
        object { json in
            json.member("name", one.name.text)
            json.member("display_name", one.displayName)
            json.member("role", one.authority.role.name)
            json.member("org_id", ifPresent: one.authority.scope?.text)
            json.member("disabled", one.disabled)
            json.member("created_at", one.createdAt)
            if let time = one.lastLogin { json.member("last_login_at", time) }
        }
    }
}
