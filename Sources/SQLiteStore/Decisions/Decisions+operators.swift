internal import Push
internal import StoreCore

// What operators change, each as one decision: what the call may touch is judged here, where it is done, and its audit entry is
// written with it.

extension Decisions {
    func apply(
        _ change: DirectoryChange, by call: OperatorCall, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        try audited(AuditEntry(call, change.action, change.target)) { () throws(SQLiteError) in
            try changes.apply(change, at: now)
        }
    }

    func cancel(_ task: TaskID, by call: OperatorCall, at now: Int64) throws(SQLiteError) -> Result<TaskStatus, Refusal> {
        try audited(AuditEntry(call, .taskCancel, task: task)) { () throws(SQLiteError) in
            try tasks.cancel(task, by: nil, at: now)
        }
    }

    /// Changes nothing in the file.
    /// - Returns: whether there is such a device.
    func disconnect(_ token: DeviceToken, by call: OperatorCall) throws(SQLiteError) -> Bool {
        let isKnown = try connections.disconnect(token)
        let code = isKnown ? 0 : ErrorCode.noSuchDevice.rawValue
        audit.record(AuditEntry(call, .deviceDisconnect, AuditTarget(.device, token.text), code: code))
        return isKnown
    }

    /// Keeps the last part of an import, which begins then.
    func run(_ id: ImportID, last part: ImportPart, _ waiter: ImportWaiter, by call: OperatorCall) throws(SQLiteError) {
        let number = try imports.keep(part, of: id)
        try imports.start(number, waiter: waiter)
        try audit.write(AuditEntry(call, .importRun, AuditTarget(.import, id.text)), before: nil)
    }

    func acceptWallClock(by call: OperatorCall) throws(SQLiteError) {
        time.accept()
        try audit.write(AuditEntry(call, .clockAccept), before: nil)
    }

    /// Makes a decision and writes its entry, in one transaction, whether it is a change or a refusal.
    private func audited<Value>(
        _ entry: AuditEntry, _ decide: () throws(SQLiteError) -> Result<Value, Refusal>
    ) throws(SQLiteError) -> Result<Value, Refusal> {
        var entry = entry
        let before = try audit.organisations(of: entry)
        let result = try decide()
        if case .failure(let refusal) = result { entry.code = refusal.code.rawValue }
        try audit.write(entry, before: before)
        return result
    }
}
