public import Crypto
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

extension OperatorFields {
    /// Those of a new operator, whose password is "password".
    public static func new(_ role: Role, in scope: String? = nil) -> OperatorFields {
        var fields = OperatorFields()
        fields.displayName = "An operator"
        fields.role = role
        fields.scope = scope.map { .set(OrgID(unchecked: $0)) } ?? .keep
        fields.password = .cheap("password")
        return fields
    }
}

extension PasswordVerifier {
    /// That of a test: it costs next to nothing.
    public static func cheap(_ password: String) -> PasswordVerifier {
        PasswordVerifier(password: Array(password.utf8), cost: Cost(logN: 1, r: 1, p: 1) ?? .usual)
            ?? PasswordVerifier(cost: .usual, salt: [], hash: [])
    }
}

extension ContractFixture {
    /// Registers an operator, or changes it.
    /// - Returns: a call of that operator, as it is by then.
    @discardableResult
    public func makeOperator(
        _ name: String, _ role: Role, in scope: String? = nil
    ) async throws -> OperatorCall {
        let name = OperatorName(unchecked: name)
        _ = try await port.apply(.put(name, .new(role, in: scope)), by: .installation)
        let authority = Authority(role, in: scope.map { OrgID(unchecked: $0) })
        return OperatorCall(.named(try await identity(of: name), authority), client: nil, requestID: "test")
    }

    /// Whom a loop that begins now knows under a name.
    public func identity(of name: OperatorName) async throws -> OperatorIdentity {
        let (port, loop) = newPort()
        guard let known = try await loop.follow(port).operators.first(where: { $0.name == name }) else {
            throw StoreError.refused(Refusal(.noSuchOperator, field: "name"))
        }
        return known.identity
    }
}
