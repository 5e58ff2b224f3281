internal import Postgres
internal import Push
internal import StoreCore

// Pushes by operators on behalf of apps: as any other, but judged by what the operator may do, and with an entry of the audit
// log.

extension StoreNode {
    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted {
        let request = request.made(by: call)
        var entry = AuditEntry(call, .push, request)
        do throws(StoreError) {
            await writeAudit()
            let line = AuditLine(of: entry, at: options.node)
            let accepted = try await inTurn { node throws(StoreError) in
                try await node.decided { version throws(StoreError) in try await node.push(request, by: call, line, version) }
            }
            // That of a task that was made is written with it.
            guard case .repeated(let task) = accepted else { return accepted }
            entry.name(task)
            await recordOnce(entry, of: directory.tasks.position(of: task))
            return accepted
        } catch {
            if case .refused(let refusal) = error { await recordRefused(entry, refusal.code) }
            return Accepted(error)
        }
    }

    /// What that would do.
    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        let request = request.made(by: call)
        return try await inTurn { node throws(StoreError) in
            try await node.decided { version throws(StoreError) in try await node.preview(request, by: call, version) }
        }
    }

    /// What an operator's scope makes of a push: organisations by their numbers.
    private struct Confinement {
        /// Inside of which the target must be.
        let scope: Int32?
        /// What is inside of that and of the app's scope.
        let bound: Int32?
    }

    /// Whether an operator may push on behalf of an app: in an organisation that both have in common.
    /// - Throws: 2011, 2206.
    private func permitPushing(for key: AppKey, to number: OperatorNumber?) throws(Refusal) -> Confinement {
        let scope = try directory.operators.require(.sender, of: number)
        let tree = directory.tree
        guard let app = directory.apps[key]?.app, tree.haveInCommon(app.scope, scope) else {
            throw Refusal(.noSuchApp, field: "appkey")
        }
        guard let scope else { return Confinement(scope: nil, bound: nil) }
        // A scope that does not exist holds nothing: no organisation has this number.
        return Confinement(
            scope: tree[scope].map { Int32(bitPattern: $0.org) } ?? -1,
            bound: tree.common(app.scope, scope).map { Int32(bitPattern: $0) })
    }

    /// The arguments of `append_1` and `preview_1` for one push of an operator's.
    private func append(
        _ batch: PushBatch, to arguments: inout PostgresArguments, by call: OperatorCall, _ confinement: Confinement,
        _ line: AuditLine?, _ version: Int64
    ) {
        batch.append(to: &arguments, usual: options.usualQuota)
        arguments.append(int8: version)
        arguments.append(int4: confinement.scope)
        arguments.append(int4: confinement.bound)
        arguments.append(bytea: call.name.map { Array($0.text.utf8) })
        arguments.append(audit: line.map { [$0] } ?? [])
    }

    /// - Returns: `nil` where the directory is of another version by now.
    private func push(
        _ request: PushRequest, by call: OperatorCall, _ line: AuditLine, _ version: Int64
    ) async throws(StoreError) -> Accepted? {
        let confinement: Confinement
        do throws(Refusal) { confinement = try permitPushing(for: request.app, to: call.number) } catch { throw .refused(error) }
        let batch = PushBatch(request)
        let rows = try await askTimely(lane, Statements.appendAlone) {
            append(batch, to: &$0, by: call, confinement, line, version)
        }
        bell.ring()
        guard rows.count > 0 else { return nil }
        guard let accepted = try? batch.answer(rows, code: 1, directory.tasks) else { throw .unknown }
        switch accepted {
        case .refused(let refusal): throw .refused(refusal)
        case .repeated(let task): try await requireInside(task, confinement.scope)
        case .stored, .unavailable, .unknown: break
        }
        return accepted
    }

    private func preview(
        _ request: PushRequest, by call: OperatorCall, _ version: Int64
    ) async throws(StoreError) -> PushPreview? {
        let confinement: Confinement
        do throws(Refusal) { confinement = try permitPushing(for: request.app, to: call.number) } catch { throw .refused(error) }
        let batch = PushBatch(request)
        let rows = try await askTimely(lane, Statements.preview) { append(batch, to: &$0, by: call, confinement, nil, version) }
        guard !rows.isNull(0, 0) else { return nil }
        let answer: Accepted
        do { answer = try batch.answer(rows, code: 0, directory.tasks) } catch { throw .unknown }
        switch answer {
        case .refused(let refusal): throw .refused(refusal)
        case .unavailable, .unknown: throw .unknown
        case .repeated(let task):
            try await requireInside(task, confinement.scope)
            return .repeated(task)
        case .stored:
            let found: (android: Int, ios: Int, skipped: Int, expires: Int64?, target: TargetKey)
            do {
                found = (
                    Int(try rows.present8(0, 4)), Int(try rows.present8(0, 5)), Int(try rows.present4(0, 6)),
                    try rows.int8(0, 7), TargetKey(raw: try rows.present8(0, 8))
                )
            } catch { throw .unknown }
            return .accepted(
                PushPreview.Addressed(
                    android: found.android, ios: found.ios, skippedOversize: found.skipped,
                    online: try await online(found.target, request, withoutIOS: found.skipped > 0), expireAt: found.expires))
        }
    }

    /// How many of those that a push would reach are connected. Of an organisation only all are counted.
    private func online(_ target: TargetKey, _ request: PushRequest, withoutIOS: Bool) async throws(StoreError) -> Int? {
        if target.kind == .organisation, request.testOnly || withoutIOS { return nil }
        let rows = try await askTimely(reads, Statements.online) { arguments in
            arguments.append(int8: target.raw)
            arguments.append(bool: request.testOnly)
            arguments.append(bool: withoutIOS)
        }
        return ((try? rows.int8(0, 0)) ?? nil).map { Int($0) }
    }

    /// Whose task a number has made outside of the scope is not told.
    /// - Throws: 2109.
    private func requireInside(_ task: TaskID, _ scope: Int32?) async throws(StoreError) {
        guard let scope, let seq = directory.tasks.position(of: task) else { return }
        guard try await organisations(ofTask: seq).contains(scope) else {
            throw .refused(Refusal(.outBizNoReused, field: "policy.out_biz_no"))
        }
    }

    /// The organisations that a task is inside of.
    func organisations(ofTask seq: UInt64) async throws(StoreError) -> [Int32] {
        var arguments = PostgresArguments()
        arguments.append(int8: Int64(bitPattern: seq))
        let rows = try await ask(reads, Statements.orgsOfTask, arguments)
        do { return try rows.array(0, 0, of: .int4)?.int4s() ?? [] } catch { throw .unavailable(retryAfter: retryAfter) }
    }
}

extension PushRequest {
    /// The same as the call of an operator's makes it: from where that comes, and with no nonce.
    fileprivate func made(by call: OperatorCall) -> PushRequest {
        PushRequest(
            app: app, interface: interface, target: target, payload: payload, testOnly: testOnly, description: description,
            tag: tag, expireTime: expireTime, idempotency: idempotency,
            origin: Origin(client: call.client, requestID: call.requestID))
    }
}
