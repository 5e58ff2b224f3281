internal import Push
internal import StoreCore

// What operators change, each as one decision: what the call may touch is judged here, where it is done.

extension Decisions {
    func apply(
        _ change: DirectoryChange, by call: OperatorCall, at now: Int64
    ) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        try changes.apply(change, at: now)
    }

    func cancel(_ task: TaskID, by call: OperatorCall, at now: Int64) throws(SQLiteError) -> Result<TaskStatus, Refusal> {
        try tasks.cancel(task, by: nil, at: now)
    }

    /// - Returns: whether there is such a device.
    func disconnect(_ token: DeviceToken, by call: OperatorCall) throws(SQLiteError) -> Bool {
        try connections.disconnect(token)
    }

    /// Keeps the last part of an import, which begins then.
    func run(_ id: ImportID, last part: ImportPart, _ waiter: ImportWaiter, by call: OperatorCall) throws(SQLiteError) {
        let number = try imports.keep(part, of: id)
        try imports.start(number, waiter: waiter)
    }

    func acceptWallClock(by call: OperatorCall) throws(SQLiteError) { time.accept() }
}
