internal import Base
public import Libevent
public import Push
public import Web

/// The audit log of what operators ask for. What the store changes it has recorded itself, with the change; everything else is
/// recorded here, when it is answered. And how it is read.
extension AdminFront {
    /// A request is about to be answered: it has its entry, and its line for whoever reads along.
    public func answered(_ request: Request<AdminFront>, with reply: Reply, because error: (any Error)?) {
        guard let action = request.audited else { return }
        // A push that was taken has told its own entry, with its task.
        if action == .push, error == nil { return }
        guard let call = admittedCall(of: request) else {
            // A log-in that failed is counted by the name that was tried: whoever makes names up is given no entries. One that
            // succeeded the store has recorded.
            let tried = try? OperatorDecoder.login(request.body).name.text
            return count(reply, of: tried, from: request.exchange)
        }
        let entry = AuditEntry(
            call, action, request.auditTarget ?? action.ownTarget(of: call), task: request.auditTask,
            code: reply.note?.code ?? 0)
        record(entry, isInStore: action.isOfStore && Self.isDecided(error))
    }

    /// Whether the store has decided about a change, and so has its entry. What was refused before, and what nobody knows or was
    /// not done, has none.
    private static func isDecided(_ error: (any Error)?) -> Bool {
        guard let error else { return true }
        if case StoreError.refused = error { return true }
        return false
    }

    /// Who is known, and wants what has a name, has an entry; all others are counted.
    public func turnedAway(
        _ exchange: HTTPExchange, _ headers: RequestHeaders, with reply: Reply, because error: any Error, id: String
    ) {
        guard let entry = entry(of: exchange, headers, with: reply, id: id) else {
            return count(reply, of: nil, from: exchange)
        }
        record(entry)
    }

    private func entry(
        of exchange: HTTPExchange, _ headers: RequestHeaders, with reply: Reply, id: String
    ) -> AuditEntry? {
        guard case .refusal(let code, _)? = reply.note, let caller = try? identify(headers),
            let call = call(of: caller, by: exchange, id: id),
            let match = try? Self.routes.match(exchange.method, exchange.rawPath), match.route.access != .anyone,
            let action = match.route.audited
        else { return nil }
        let sent = Dictionary(uniqueKeysWithValues: zip(match.route.pattern.names, match.parameters))
        return AuditEntry(
            call, action, match.route.target { sent[$0] ?? "" } ?? action.ownTarget(of: call),
            task: sent["task_id"].map { TaskID(PercentEncoding.decode($0) ?? String($0)) }, code: code)
    }

    private func count(_ reply: Reply, of name: String?, from exchange: HTTPExchange) {
        guard case .refusal(let code, _)? = reply.note else { return }
        let key = RefusalCount.Key(.operators, name: name, client: exchange.clientAddress, code: code)
        refusals.count(key, at: store.clock.now / 60_000)
    }

    /// Records an entry.
    /// - Parameter isInStore: whether the store has it already.
    func record(_ entry: AuditEntry, isInStore: Bool = false) {
        let now = loop.wallClockMilliseconds
        if entry.isThrottled {
            // The store judges its own by the same rule: whoever reads along is told no more of them either.
            let isAdmitted = isInStore ? told.admit(entry, at: now / 60_000) : recorded.admit(entry, at: now / 60_000)
            guard isAdmitted else { return }
        }
        if !isInStore { store.record(entry) }
        process.audit.tell(entry, now)
    }

    /// Takes the refusals that were counted since the last time. Asked for once a minute and at the end, and whenever somebody
    /// reads them.
    public func takeRefusals() -> [RefusalCount] {
        tellLeftOut()
        return refusals.take()
    }

    /// Once a minute at most, since each is an entry; and at the end.
    private func tellLeftOut() {
        let now = loop.wallClockMilliseconds
        guard isEnding || now / 60_000 != leftOutTold, recorded.hasLeftOut || told.hasLeftOut else { return }
        leftOutTold = now / 60_000
        let (unrecorded, untold) = (recorded.takeLeftOut(), told.takeLeftOut())
        if unrecorded > 0 { store.record(.lost(unrecorded)) }
        process.audit.tell(.lost(unrecorded + untold), now)
    }

    // MARK: Reading

    /// `GET /psp/admin/audit`
    func audit(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        var filter = AuditFilter()
        filter.caller = try query.choice("caller", of: ["installation", "operator", "server"])
        filter.name = try query.identifier("operator")
        filter.client = try query.address("address")
        filter.node = try query.node("node")
        filter.action = try query.choice("action", of: AuditAction.allCases.map(\.rawValue)).flatMap { AuditAction(rawValue: $0) }
        filter.target = query["target"]
        filter.task = query["task"]
        filter.code = try query.number("code", in: 0...9_999).map { Int($0) }
        (filter.from, filter.to) = (try query.number("from"), try query.number("to"))
        let page = try await store.audit(
            filter, after: query.after, limit: try query.limit(), by: try operatorCall(of: request))
        return .page(page) { $0.value($1) }
    }

    /// `GET /psp/admin/audit/refusals`: with what was counted until now.
    func refusalCounts(_ request: Request<AdminFront>) async throws -> Reply {
        let query = try request.query()
        var filter = RefusalFilter()
        filter.name = query.exactText("name")
        filter.client = try query.address("address")
        filter.code = try query.number("code", in: 0...9_999).map { Int($0) }
        (filter.from, filter.to) = (try query.number("from"), try query.number("to"))
        if query.after == nil { await process.audit.flush() }
        let page = try await store.refusals(filter, after: query.after, limit: try query.limit())
        return .page(page) { $0.value($1) }
    }
}

extension Query {
    /// An address.
    /// - Throws: 2103.
    fileprivate func address(_ name: String) throws(Refusal) -> IPAddress? {
        guard let text = self[name] else { return nil }
        guard let address = IPAddress(text) else {
            throw Refusal(.invalidValue, field: name, .expected(.address, Excerpt(text)))
        }
        return address
    }

    /// What a node is called.
    /// - Throws: 2103.
    fileprivate func node(_ name: String) throws(Refusal) -> NodeName? {
        guard let text = self[name] else { return nil }
        guard let node = NodeName(text) else { throw Refusal(.invalidValue, field: name, .expected(.node, Excerpt(text))) }
        return node
    }
}

extension Route<AdminFront> {
    /// As what the audit log names it; `nil`: it is not recorded. A test looks that no route is forgotten.
    var audited: AuditAction? {
        switch (method, String(pattern.text.dropFirst("/psp/admin/".count))) {
        case (.put, "apps/{appkey}"): .appPut
        case (.get, "apps/{appkey}"): .appRead
        case (.delete, "apps/{appkey}"): .appRemove
        case (.post, "apps/{appkey}/rotate"): .appRotateSecret
        case (.delete, "apps/{appkey}/former-secret"): .appDropFormerSecret
        case (.get, "apps"): .appList
        case (.put, "orgs/{org_id}"): .organisationPut
        case (.get, "orgs/{org_id}"): .organisationRead
        case (.delete, "orgs/{org_id}"): .organisationRemove
        case (.get, "orgs"): .organisationList
        case (.put, "devices/{device_token}"): .devicePut
        case (.get, "devices/{device_token}"): .deviceRead
        case (.delete, "devices/{device_token}"): .deviceRemove
        case (.post, "devices/{device_token}/disconnect"): .deviceDisconnect
        case (.get, "devices"): .deviceList
        case (.get, "tasks"): .taskList
        case (.get, "tasks/{task_id}"): .taskRead
        case (.get, "tasks/{task_id}/devices"): .taskRecipients
        case (.get, "tasks/{task_id}/explain"): .taskExplain
        case (.post, "tasks/{task_id}/cancel"): .taskCancel
        case (.post, "push"): .push
        case (.put, "log-level"): .logLevelPut
        case (.post, "trace"): .traceBegin
        case (.get, "trace"): .traceList
        case (.delete, "trace/{trace_id}"): .traceEnd
        case (.get, "trace/{trace_id}/events"): .traceFollow
        case (.post, "sessions"): .sessionBegin
        case (.get, "session"): .sessionRead
        case (.delete, "session"): .sessionEnd
        case (.put, "session/password"): .sessionPassword
        case (.put, "operators/{name}"): .operatorPut
        case (.get, "operators/{name}"): .operatorRead
        case (.delete, "operators/{name}"): .operatorRemove
        case (.get, "operators"): .operatorList
        case (.get, "operators/{name}/sessions"): .sessionList
        case (.delete, "operators/{name}/sessions"), (.delete, "operators/{name}/sessions/{session_id}"): .sessionEnd
        case (.post, "clock/accept"): .clockAccept
        case (.post, "import"): .importRun
        case (.get, "imports/{import_id}"): .importRead
        case (.get, "imports"): .importList
        case (.get, "audit"): .auditRead
        case (.get, "audit/refusals"): .auditRefusals
        default: nil
        }
    }
}

extension Route<AdminFront> {
    /// What an address names, by the name that was sent.
    /// - Parameter value: of a parameter of the address, as it was sent.
    fileprivate func target(_ value: (String) -> Substring) -> AuditTarget? {
        let kinds: [(name: String, AuditTarget.Kind)] = [
            ("appkey", .app), ("org_id", .organisation), ("device_token", .device), ("import_id", .import), ("trace_id", .trace),
            ("session_id", .session), ("name", .operator),
        ]
        for (name, kind) in kinds where pattern.names.contains(name) {
            let sent = value(name)
            return AuditTarget(kind, PercentEncoding.decode(sent) ?? String(sent))
        }
        return nil
    }
}

extension Request where Service == AdminFront {
    /// What its address names, by the name that was sent.
    fileprivate var auditTarget: AuditTarget? {
        if let target = route.target({ parameter($0) }) ?? pushTarget { return target }
        guard route.audited == .taskExplain, let query = try? query() else { return nil }
        return query["device"].map { AuditTarget(.device, $0) }
    }

    /// The task that its address names.
    fileprivate var auditTask: TaskID? { route.pattern.names.contains("task_id") ? task : nil }
}
