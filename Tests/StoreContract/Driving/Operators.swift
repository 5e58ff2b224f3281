public import Push

extension OperatorCall {
    /// With the installation's token.
    public static let installation = OperatorCall(.installation, client: nil, requestID: "test")
}

// What the installation does, in a few words.

extension StorePort {
    /// Changes the directory.
    @discardableResult
    public func apply(_ change: DirectoryChange) async throws(StoreError) -> ChangeResult {
        try await apply(change, by: .installation)
    }

    /// Has a device disconnected.
    public func disconnect(_ token: DeviceToken) async throws(StoreError) { try await disconnect(token, by: .installation) }

    /// Runs an import.
    public func run(_ id: ImportID, last part: ImportPart, patience: Duration) async throws(StoreError) -> ImportReport {
        try await run(id, last: part, patience: patience, by: .installation)
    }

    /// Recalls any app's task.
    @discardableResult
    public func recall(_ task: TaskID) async throws(StoreError) -> TaskStatus { try await cancel(task, by: .installation) }

    /// Says that the wall clock is right.
    public func acceptWallClock() async throws(StoreError) -> ClockState { try await acceptWallClock(by: .installation) }
}
