internal import JSON

/// Reads what operators send to change the directory: the bodies of `PUT /psp/admin/{apps,orgs,devices}/…` and the lines of an
/// import.
///
/// A field that is left out is kept. `null` clears an optional one: of a switch (`disabled`, `test`) that is false. A required
/// field and a secret cannot be cleared, so `null` there is 2103. Which fields a new record lacks (2102) only the store knows.
public enum DirectoryDecoder {
    /// The body of `PUT /psp/admin/apps/{appkey}`.
    /// - Throws: 2101, 2104, 2103.
    public static func app(_ body: [UInt8]) throws(Refusal) -> AppChange {
        try AppChange(RecordFields(try JSONDocument.object(parsing: body), excluding: [.kind, .id]))
    }

    /// The body of `POST /psp/admin/apps/{appkey}/rotate`: the new secret, if it is not to be made; and whether it replaces that
    /// of the last rotation.
    /// - Throws: 2101, 2104, 2103.
    public static func rotation(_ body: [UInt8]) throws(Refusal) -> (secret: String?, again: Bool) {
        let fields = try RecordFields<RotationField>(try JSONDocument.object(parsing: body))
        return (try fields.secret(.masterSecret), try fields.flag(.again) ?? false)
    }

    /// The body of `PUT /psp/admin/orgs/{org_id}`.
    /// - Throws: 2101, 2104, 2103.
    public static func organisation(_ body: [UInt8]) throws(Refusal) -> OrganisationChange {
        try OrganisationChange(RecordFields(try JSONDocument.object(parsing: body), excluding: [.kind, .id]))
    }

    /// The body of `PUT /psp/admin/devices/{token}`.
    /// - Throws: 2101, 2104, 2103.
    public static func device(_ body: [UInt8]) throws(Refusal) -> DeviceChange {
        try DeviceChange(RecordFields(try JSONDocument.object(parsing: body), excluding: [.kind, .id]))
    }

    /// One line of an import: `{"kind":"org"/"device"/"app","id",…}` with the fields of the PUT. A new device or app has to bring
    /// its secret: nobody would be told one that is made.
    /// - Throws: 2101, 2104, 2102 (`kind`, `id`), 2103.
    public static func importLine(_ line: [UInt8]) throws(Refusal) -> DirectoryChange {
        let root = try JSONDocument.object(parsing: line)
        guard let kind = root["kind"] else {
            throw Refusal(.missingField, field: "kind", .missing(root["id"] == nil ? ["kind", "id"] : ["kind"]))
        }
        switch kind.string {
        case "app":
            let fields = try RecordFields<AppField>(root, requiring: .id)
            return .putApp(try fields.identifier(.id), try AppChange(fields), secretIfNew: nil)
        case "org":
            let fields = try RecordFields<OrganisationField>(root, requiring: .id)
            return .putOrganisation(try fields.identifier(.id), try OrganisationChange(fields))
        case "device":
            let fields = try RecordFields<DeviceField>(root, requiring: .id)
            return .putDevice(try fields.identifier(.id), try DeviceChange(fields), secretIfNew: nil)
        default:
            throw Refusal(.invalidValue, field: "kind", .expected(.oneOf(["org", "device", "app"]), Excerpt(kind)))
        }
    }
}

// `kind` and `id` stand in the lines of an import only.

private enum AppField: String, FieldName {
    case kind, id, name, interfaces, disabled, addresses
    case masterSecret = "master_secret"
    case hmacOnly = "hmac_only"
    case perSecond = "pushes_per_second"
    case perDay = "pushes_per_day"
    case scope = "org_id"
}

private enum RotationField: String, FieldName {
    case again
    case masterSecret = "master_secret"
}

private enum OrganisationField: String, FieldName {
    case kind, id, name
    case parent = "parent_id"
}

private enum DeviceField: String, FieldName {
    case kind, id, platform, test, secret
    case organisation = "org_id"
    case user = "user_id"
    case certificate = "certificate_sha256"
}

extension AppChange {
    fileprivate init(_ fields: RecordFields<AppField>) throws(Refusal) {
        self.init()
        name = try fields.text(.name)
        masterSecret = try fields.secret(.masterSecret)
        interfaces = try fields.interfaces(.interfaces)
        scope = try fields.clearableIdentifier(.scope)
        disabled = try fields.flag(.disabled)
        hmacOnly = try fields.flag(.hmacOnly)
        addresses = try fields.addresses(.addresses)
        perSecond = try fields.count(.perSecond, in: PushQuota.allowed)
        perDay = try fields.count(.perDay, in: PushQuota.allowed)
    }
}

extension OrganisationChange {
    fileprivate init(_ fields: RecordFields<OrganisationField>) throws(Refusal) {
        self.init()
        name = try fields.text(.name)
        parent = try fields.clearableIdentifier(.parent)
    }
}

extension DeviceChange {
    fileprivate init(_ fields: RecordFields<DeviceField>) throws(Refusal) {
        self.init()
        platform = try fields.value(.platform, .oneOf(Platform.allCases.map(\.rawValue))) { $0.string.flatMap(Platform.init) }
        organisation = try fields.value(.organisation, .identifier) { $0.string.flatMap { OrgID($0) } }
        user = try fields.clearableIdentifier(.user)
        test = try fields.flag(.test)
        secret = try fields.secret(.secret)
        certificate = try fields.fingerprint(.certificate)
    }
}
