internal import JSON

/// Reads what operators send about operators. A password is read as bytes, and hashed by whoever has the time for it.
public enum OperatorDecoder {
    /// The body of `PUT /psp/admin/operators/{name}`; its password apart, to be hashed.
    /// - Throws: 2101, 2104, 2103.
    public static func fields(_ body: [UInt8]) throws(Refusal) -> (fields: OperatorFields, password: [UInt8]?) {
        let record = try RecordFields<Field>(try JSONDocument.object(parsing: body))
        var fields = OperatorFields()
        fields.displayName = try record.text(.displayName)
        fields.role = try record.value(.role, .oneOf(Role.allCases.map(\.name))) { $0.string.flatMap { Role(name: $0) } }
        fields.scope = try record.clearableIdentifier(.scope)
        fields.disabled = try record.flag(.disabled)
        return (fields, try password(record, .password))
    }

    /// The body of `POST /psp/admin/sessions`. A password of any length is taken: whether it is right shows later.
    /// - Throws: 2101, 2104, 2102, 2103.
    public static func login(_ body: [UInt8]) throws(Refusal) -> (name: OperatorName, password: [UInt8]) {
        let record = try RecordFields<LoginField>(try JSONDocument.object(parsing: body), requiring: .name)
        return (try record.identifier(.name), try shown(record, .password))
    }

    /// The body of `PUT /psp/admin/session/password`.
    /// - Throws: 2101, 2104, 2102, 2103.
    public static func newPassword(_ body: [UInt8]) throws(Refusal) -> (former: [UInt8], password: [UInt8]) {
        let record = try RecordFields<PasswordField>(try JSONDocument.object(parsing: body), requiring: .former)
        let former = try shown(record, .former)
        guard let password = try password(record, .password) else { throw Refusal(lacking: [("password", true)]) }
        return (former, password)
    }

    /// One that is set.
    private static func password<Name>(_ record: RecordFields<Name>, _ name: Name) throws(Refusal) -> [UInt8]? {
        let allowed = Operator.passwordBytes
        return try record.value(name, .text(bytes: allowed), isSecret: true) { value in
            value.string.flatMap { allowed.contains($0.utf8.count) ? Array($0.utf8) : nil }
        }
    }

    /// One that is shown.
    private static func shown<Name>(_ record: RecordFields<Name>, _ name: Name) throws(Refusal) -> [UInt8] {
        let most = Operator.passwordBytes.upperBound
        let password = try record.value(name, .text(bytes: 0...most), isSecret: true) { value in
            value.string.flatMap { $0.utf8.count <= most ? Array($0.utf8) : nil }
        }
        guard let password else { throw Refusal(lacking: [(name.rawValue, true)]) }
        return password
    }
}

private enum Field: String, FieldName {
    case role, disabled, password
    case displayName = "display_name"
    case scope = "org_id"
}

private enum LoginField: String, FieldName {
    case name, password
}

private enum PasswordField: String, FieldName {
    case password
    case former = "old_password"
}
