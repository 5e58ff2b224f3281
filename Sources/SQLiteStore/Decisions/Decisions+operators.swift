internal import Push
internal import StoreCore

// What operators change, each as one decision: what the call may touch is judged here, where it is done, and its audit entry is
// written with it.

extension Decisions {
    func apply(
        _ change: DirectoryChange, by call: OperatorCall, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        let former = try records.fields(of: change)
        return try audited(AuditEntry(call, change.action, change.target)) { entry throws(SQLiteError) in
            let result = try changes.apply(change, by: call.number, at: now)
            if case .success = result, let present = try records.fields(of: change) {
                entry.details = AuditDetail.differences(from: former, to: present)
            }
            return result
        }
    }

    func apply(
        _ change: OperatorChange, by call: OperatorCall, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        let target = change.target ?? change.action.ownTarget(of: call)
        let former = records.fields(of: change)
        return try audited(AuditEntry(call, change.action, target)) { entry throws(SQLiteError) in
            let result = try decided {
                try scopes.permit(change, to: call.number)
                return try operatorChanges.apply(change, by: call.number, at: now)
            }
            if case .success = result, let present = records.fields(of: change) {
                entry.details = AuditDetail.differences(from: former, to: present)
            }
            return result
        }
    }

    func push(_ request: PushRequest, by call: OperatorCall, at now: Int64) throws(SQLiteError) -> Accepted {
        var entry = AuditEntry(call, .push, request)
        let before = try audit.organisations(of: entry)
        let accepted = try pushes.append(request, by: call, at: now)
        switch accepted {
        case .stored(let task): entry.name(task)
        case .repeated(let task):
            entry.name(task)
            guard audit.admits(entry) else { return accepted }
        case .refused(let refusal):
            entry.code = refusal.code.rawValue
            guard audit.admits(entry) else { return accepted }
        case .unavailable, .unknown: return accepted
        }
        try audit.write(entry, before: before)
        return accepted
    }

    func cancel(_ task: TaskID, by call: OperatorCall, at now: Int64) throws(SQLiteError) -> Result<TaskStatus, Refusal> {
        let row = try tasks.row(of: task, for: nil)
        if let row, case .success = try decided({ try scopes.permitCancelling(row, to: call.number) }),
            let ended = try tasks.end(of: row, at: now)
        {
            // It changes nothing: the same again has no second entry.
            let entry = AuditEntry(call, .taskCancel, task: task)
            if audit.admits(entry) { try audit.write(entry, before: nil) }
            return .success(ended)
        }
        return try audited(AuditEntry(call, .taskCancel, task: task)) { _ throws(SQLiteError) in
            if case .failure(let refusal) = try decided({ try scopes.permitCancelling(row, to: call.number) }) {
                return .failure(refusal)
            }
            return try tasks.cancel(task, by: nil, at: now)
        }
    }

    /// Changes nothing in the file.
    func disconnect(_ token: DeviceToken, by call: OperatorCall) throws(SQLiteError) -> Result<Void, Refusal> {
        let result = try decided { () throws -> Void in
            try scopes.permitDisconnecting(token, to: call.number)
            guard try connections.disconnect(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
        }
        var entry = AuditEntry(call, .deviceDisconnect, AuditTarget(.device, token.text))
        if case .failure(let refusal) = result { entry.code = refusal.code.rawValue }
        if audit.admits(entry) { audit.record(entry) }
        return result
    }

    /// Keeps the last part of an import, which begins then. Its lines are judged one by one, when they are applied.
    func run(_ id: ImportID, last part: ImportPart, _ waiter: ImportWaiter, by call: OperatorCall) throws(SQLiteError) {
        let number = try imports.keep(part, of: id)
        try imports.start(number, by: call.number, waiter: waiter)
        try audit.write(AuditEntry(call, .importRun, AuditTarget(.import, id.text)), before: nil)
    }

    func acceptWallClock(by call: OperatorCall) throws(SQLiteError) -> Result<Void, Refusal> {
        try audited(AuditEntry(call, .clockAccept)) { _ throws(SQLiteError) in
            let result = try decided { try scopes.requireUnscoped(.administrator, of: call.number) }
            if case .success = result { time.accept() }
            return result
        }
    }

    /// Makes a decision and writes its entry, in one transaction, whether it is a change or a refusal.
    private func audited<Value>(
        _ entry: AuditEntry, _ decide: (inout AuditEntry) throws(SQLiteError) -> Result<Value, Refusal>
    ) throws(SQLiteError) -> Result<Value, Refusal> {
        var entry = entry
        let before = try audit.organisations(of: entry)
        let result = try decide(&entry)
        if case .failure(let refusal) = result {
            entry.code = refusal.code.rawValue
            guard audit.admits(entry) else { return result }
        }
        try audit.write(entry, before: before)
        return result
    }
}
