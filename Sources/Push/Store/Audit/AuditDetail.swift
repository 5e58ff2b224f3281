internal import JSON

/// What an entry of the audit log tells of one field: what it held before a change, and what it holds since. Of a secret neither
/// is told.
public struct AuditDetail: Hashable, Sendable {
    /// As the interface names it.
    public let field: String
    /// `nil` where there was nothing, or it is a secret.
    public let former: String?
    /// `nil` where there is nothing any more, or it is a secret.
    public let present: String?

    /// As much of a value as is told, in bytes.
    private static let longest = 128

    /// A field with its values, which are made fit to be shown.
    public init(_ field: String, from former: String? = nil, to present: String? = nil) {
        self.field = field
        self.former = former.map { Excerpt.shown($0, bytes: Self.longest) }
        self.present = present.map { Excerpt.shown($0, bytes: Self.longest) }
    }

    /// What a change did to a record.
    /// - Parameter former: the record as it was; `nil` where it is new.
    public static func differences(from former: AuditedFields?, to present: AuditedFields) -> [AuditDetail] {
        present.fields.compactMap { field, value in
            let before = former?.fields.first { $0.name == field }?.value
            guard value != before ?? .shown(nil) else { return nil }
            switch value {
            case .shown(let text):
                guard case .shown(let old)? = before else { return AuditDetail(field, to: text) }
                return AuditDetail(field, from: old, to: text)
            // That a new record has one goes without saying.
            case .secret: return before == nil ? nil : AuditDetail(field)
            }
        }
    }
}

/// A record as the audit log compares it: its fields in their order, by what may be told of them.
public struct AuditedFields: Sendable {
    /// What a field holds.
    public enum Value: Hashable, Sendable {
        case shown(String?)
        /// Only whether it is the same is told of it.
        case secret(String)
    }

    /// By the interface's names.
    public let fields: [(name: String, value: Value)]

    /// A record's fields.
    public init(_ fields: [(name: String, value: Value)]) { self.fields = fields }
}

// What is told of each kind of record: the same in every store.

extension App {
    /// What the audit log tells of it.
    public var audited: AuditedFields {
        AuditedFields([
            ("name", .shown(name)), ("interfaces", .shown(interfaces.map(\.rawValue).sorted().joined(separator: ","))),
            ("org_id", .shown(scope?.text)), ("disabled", .shown(disabled ? "true" : "false")),
            ("hmac_only", .shown(hmacOnly ? "true" : "false")),
            ("addresses", .shown(addresses.isEmpty ? nil : addresses.map(\.description).joined(separator: ","))),
            ("pushes_per_second", .shown(quota.perSecond.map(String.init))),
            ("pushes_per_day", .shown(quota.perDay.map(String.init))), ("master_secret", .secret(masterSecret)),
        ])
    }
}

extension Operator {
    /// What the audit log tells of it.
    public var audited: AuditedFields {
        AuditedFields([
            ("display_name", .shown(displayName)), ("role", .shown(authority.role.name)),
            ("org_id", .shown(authority.scope?.text)), ("disabled", .shown(disabled ? "true" : "false")),
            ("password", .secret(password.text)),
        ])
    }
}

extension AuditedFields {
    /// Those of an organisation.
    public static func organisation(name: String, parent: OrgID?) -> AuditedFields {
        AuditedFields([("name", .shown(name)), ("parent_id", .shown(parent?.text))])
    }

    /// Those of a device.
    /// - Parameter secret: changes with its secret.
    public static func device(
        _ membership: Membership, in organisation: OrgID?, of user: UserID?, _ certificate: CertificateFingerprint?,
        secret: String
    ) -> AuditedFields {
        AuditedFields([
            ("platform", .shown(membership.platform.rawValue)), ("org_id", .shown(organisation?.text)),
            ("user_id", .shown(user?.text)), ("test", .shown(membership.test ? "true" : "false")),
            ("certificate_sha256", .shown(certificate?.text)), ("secret", .secret(secret)),
        ])
    }
}

// How a store keeps them: as JSON.

extension AuditDetail {
    /// `nil` for none.
    public static func text(of details: [AuditDetail]) -> String? {
        guard !details.isEmpty else { return nil }
        var json = JSONWriter()
        json.array { json in for detail in details { json.value(detail) } }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// What ``text(of:)`` has made; nothing of any other text.
    public static func read(_ text: String?) -> [AuditDetail] {
        guard let text, let document = try? JSONDocument(parsing: Array(text.utf8)) else { return [] }
        return document.root.elements.compactMap { value in
            value["field"]?.string.map { AuditDetail($0, from: value["from"]?.string, to: value["to"]?.string) }
        }
    }
}

extension JSONWriter {
    /// Writes what is told of a field.
    fileprivate mutating func value(_ detail: AuditDetail) {
        object { json in
            json.member("field", detail.field)
            json.member("from", ifPresent: detail.former)
            json.member("to", ifPresent: detail.present)
        }
    }
}
