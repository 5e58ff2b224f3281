internal import Base
internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

// Operators and their sessions as the database has them (`operators_1`, `operator_sessions_1`).

extension Operator {
    /// `nil` for one that only a later version can read.
    init?(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        guard let role = Role(rawValue: Int(try rows.present4(row, 3))),
            let password = PasswordVerifier(try rows.name(row, 6) ?? "")
        else { return nil }
        self.init(
            number: OperatorNumber(try rows.present8(row, 0)), name: OperatorName(unchecked: try rows.name(row, 1) ?? ""),
            displayName: try rows.name(row, 2) ?? "",
            authority: Authority(role, in: try rows.name(row, 4).map { OrgID(unchecked: $0) }),
            disabled: try rows.bool(row, 5) ?? true, password: password, createdAt: try rows.present8(row, 7),
            lastLogin: try rows.int8(row, 8))
    }
}

extension OperatorSession {
    init(_ rows: PostgresRows, _ row: Int) throws(PostgresShapeError) {
        self.init(
            key: OperatorSessionKey(digest: try rows.bytea(row, 0) ?? []), holder: OperatorNumber(try rows.present8(row, 1)),
            createdAt: try rows.present8(row, 2), expires: try rows.present8(row, 3),
            client: try rows.bytea(row, 4).flatMap { IPAddress(stored: $0) })
    }
}

extension OperatorBook {
    /// Everything that the two are answered with.
    init(_ operators: PostgresRows, sessions: PostgresRows) throws(PostgresShapeError) {
        var found: [Operator] = []
        for row in 0..<operators.count { if let one = try Operator(operators, row) { found.append(one) } }
        let begun = try (0..<sessions.count).map { row throws(PostgresShapeError) in try OperatorSession(sessions, row) }
        self.init(found, sessions: begun)
    }
}

extension OperatorWrites {
    /// As `change_operators_1` takes it.
    /// - Parameter version: by which directory this was decided.
    func append(to arguments: inout PostgresArguments, expecting version: Int64, _ entries: [AuditLine]) {
        arguments.append(int8: version)
        arguments.append(byteaArray: ended.map(\.key.digest))
        let isNew = written?.number == .unknown
        arguments.append(int8: isNew ? nil : written?.number.value)
        arguments.append(bytea: written.map { Array($0.name.text.utf8) })
        arguments.append(bytea: written.map { Array($0.displayName.utf8) })
        arguments.append(int4: written.map { Int32($0.authority.role.rawValue) })
        arguments.append(bytea: written?.authority.scope.map { Array($0.text.utf8) })
        arguments.append(bool: written?.disabled)
        arguments.append(bytea: written.map { Array($0.password.text.utf8) })
        arguments.append(int8: written?.lastLogin)
        arguments.append(int8: removed?.number.value)
        arguments.append(bytea: begun?.key.digest)
        arguments.append(int8: begun?.holder.value)
        arguments.append(int8: begun?.createdAt)
        arguments.append(int8: begun?.expires)
        arguments.append(bytea: begun?.client?.storedBytes)
        arguments.append(byteaArray: withdrawn.map(\.key.digest))
        arguments.append(audit: entries)
    }
}
