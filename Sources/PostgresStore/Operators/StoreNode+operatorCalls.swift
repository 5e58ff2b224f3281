internal import Postgres
internal import Push
internal import StoreCore

// What operators do beside changing the directory: each judged by what the operator may do when it is done, and recorded.

extension StoreNode {
    /// Recalls a task on behalf of an operator.
    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        let entry = AuditEntry(call, .taskCancel, task: task)
        let seq = directory.tasks.position(of: task)
        await writeAudit()
        let outcome = try await decidedInTurn(entry, of: seq) { node, version throws(StoreError) in
            try await node.cancel(task, by: call, AuditLine(of: entry, at: node.options.node, seq: seq), version)
        }
        switch outcome {
        case .hadEnded(let status, let isOld):
            // It changes nothing: the same again has no second entry.
            await recordOnce(entry, of: seq)
            return try await whenApplied(status, isOld: isOld)
        case .ended(let position):
            try await untilApplied(position)
            return .cancelled
        }
    }

    private enum Cancelling {
        case hadEnded(TaskStatus, isOld: Bool)
        /// By this call, at that position.
        case ended(UInt64)
    }

    private func cancel(
        _ task: TaskID, by call: OperatorCall, _ line: AuditLine, _ version: Int64
    ) async throws(StoreError) -> Cancelling? {
        let scope: OrgID?
        do throws(Refusal) { scope = try directory.operators.require(.sender, of: call.number) } catch { throw .refused(error) }
        let found = try await find(task, of: nil)
        if let scope {
            let org = directory.tree[scope].map { Int32(bitPattern: $0.org) }
            guard let org, try await organisations(ofTask: found.row.seq).contains(org) else {
                throw .refused(Refusal(.noSuchTask, field: "task_id"))
            }
        }
        let status = found.receipts.status(of: found.row, at: found.now)
        guard status == .active else { return .hadEnded(status, isOld: isLongKnown(found)) }
        let rows = try await askTimely(lane, Statements.cancel) { arguments in
            arguments.append(int8: Int64(bitPattern: found.row.seq))
            arguments.append(int8: version)
            arguments.append(audit: [line])
        }
        bell.ring()
        guard let position = (try? rows.int8(0, 0)) ?? nil else {
            return .hadEnded(try await report(task, to: nil).status, isOld: false)
        }
        return position < 0 ? nil : .ended(UInt64(bitPattern: position))
    }

    /// The same by an app, whose request has a nonce: that is used up in the same call, also where there is no such task.
    func cancel(_ task: TaskID, by app: AppKey, _ nonce: UsedNonce) async throws(StoreError) -> TaskStatus {
        let found: Result<FoundTask, StoreError>
        do throws(StoreError) { found = .success(try await find(task, of: app)) } catch { found = .failure(error) }
        if case .failure(let error) = found, !error.isRefusal { throw error }
        let rows = try await askTimely(lane, Statements.cancelSigned) { arguments in
            arguments.append(int8: (try? found.get()).map { Int64(bitPattern: $0.row.seq) })
            arguments.append(bytea: Array(app.text.utf8))
            arguments.append(int8: nonce.timestamp)
            arguments.append(int8: StableHash.of(nonce.nonce.text, of: app))
        }
        let answer: (code: Int32, position: Int64?, wall: Int64)
        do { answer = (try rows.present4(0, 0), try rows.int8(0, 1), try rows.present8(0, 2)) } catch { throw .unknown }
        switch answer.code {
        case 2005: throw .refused(Refusal(.wrongToken, field: "authorization", .signature(.replayed)))
        case 2006:
            throw .refused(Refusal(.badTimestamp, field: "timestamp", .timestamp(.forgotten, serverTime: answer.wall)))
        default: break
        }
        let known = try found.get()
        guard let position = answer.position else {
            let status = known.receipts.status(of: known.row, at: known.now)
            if status == .active { return try await whenApplied(try await report(task, to: app).status) }
            return try await whenApplied(status, isOld: isLongKnown(known))
        }
        bell.ring()
        try await untilApplied(UInt64(bitPattern: position))
        return .cancelled
    }

    /// Has a device's connection closed, wherever it is.
    func disconnect(_ token: DeviceToken, by call: OperatorCall) async throws(StoreError) {
        let entry = AuditEntry(call, .deviceDisconnect, AuditTarget(.device, token.text))
        let outcome = try await decidedInTurn(entry) { node, version throws(StoreError) in
            try await node.disconnect(token, by: call, version)
        }
        await recordOnce(entry)
        if case .asked(let position) = outcome { try await untilApplied(position) }
    }

    private enum Disconnecting {
        case notConnected
        /// The connection's loop is asked to close it, at that position.
        case asked(UInt64)
    }

    /// - Returns: `nil` where the directory is of another version by now.
    private func disconnect(
        _ token: DeviceToken, by call: OperatorCall, _ version: Int64
    ) async throws(StoreError) -> Disconnecting? {
        let missing = StoreError.refused(Refusal(.noSuchDevice, field: "device_token"))
        let scope: OrgID?
        do throws(Refusal) { scope = try directory.operators.require(.sender, of: call.number) } catch { throw .refused(error) }
        guard let device = try await find(for: [.removeDevice(token)], by: nil, namingUsers: false).devices[token] else {
            throw missing
        }
        if let scope, !directory.tree.isInside(device.membership.organisation.index, scope) { throw missing }
        let rows = try await askTimely(lane, Statements.disconnect) { arguments in
            arguments.append(int8: version)
            arguments.append(int8: Int64(device.ordinal))
        }
        bell.ring()
        guard let position = (try? rows.int8(0, 0)) ?? nil else { return .notConnected }
        return position < 0 ? nil : .asked(UInt64(bitPattern: position))
    }

    /// An operator says that the wall clock is right: store time goes forward to it, here before the answer and at the other
    /// nodes with their next call.
    func acceptWallClock(by call: OperatorCall) async throws(StoreError) {
        let entry = AuditEntry(call, .clockAccept)
        await writeAudit()
        try await decidedInTurn(entry) { node, version throws(StoreError) in
            try await node.acceptWallClock(by: call, entry, version)
        }
        await renewNow()
    }

    private func acceptWallClock(by call: OperatorCall, _ entry: AuditEntry, _ version: Int64) async throws(StoreError) -> Void? {
        do throws(Refusal) { try directory.operators.requireUnscoped(.administrator, of: call.number) } catch {
            throw .refused(error)
        }
        let rows = try await askTimely(lane, Statements.acceptClock) { arguments in
            arguments.append(int8: version)
            arguments.append(audit: [AuditLine(of: entry, at: options.node)])
        }
        guard let isDone = (try? rows.bool(0, 0)) ?? nil else { throw .unknown }
        return isDone ? () : nil
    }
}

extension StoreError {
    fileprivate var isRefusal: Bool { if case .refused = self { true } else { false } }
}
