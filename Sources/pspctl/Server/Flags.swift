/// The fields of the REST interfaces as whoever types a command knows them.
enum Flags {
    /// Two of which one will do stand with a bar between them.
    private static let common = [
        "limit": "--limit", "from": "--from", "to": "--to", "tag": "--tag", "state": "--state", "out_biz_no": "--out-biz-no",
        "appkey": "--app", "validation-token": "--secret", "authorization": "--secret", "Authorization": "--admin-token",
        "name": "--name",
        "interfaces": "--interface", "master_secret": "--master-secret", "disabled": "--disabled", "parent_id": "--parent",
        "platform": "--platform", "org_id": "--org", "user_id": "--user", "test": "--test", "secret": "--secret",
        "addresses": "--address", "hmac_only": "--hmac-only", "pushes_per_second": "--rate", "pushes_per_day": "--daily",
        "certificate_sha256": "--certificate-sha256",
        "online": "--online", "device_token": "<token>", "device_tokens": "<token>", "task_id": "<id>",
        "payload": "--title|--custom", "payload.body.title": "--title", "payload.body.custom": "--custom",
        "payload.tag": "--tag", "payload.description": "--description", "payload.production_mode": "--test",
        "policy.expire_time": "--expires", "policy.out_biz_no": "--out-biz-no",
    ]

    /// The flag of a field; the field itself where it has none.
    /// - Parameter own: the command's, before those that all share.
    static func name(of field: String, own: [String: String]) -> String {
        (own[field] ?? common[field] ?? field).replacing("|", with: say(" or ", " 或 "))
    }

    /// An error's text with flags in its list of what is missing (2102), of which one may do instead of another.
    static func named(_ text: String, own: [String: String]) -> String {
        for (mark, separator, or) in [("：", "、", " 或 "), (": ", ", ", " or ")] {
            guard let start = text.range(of: mark) else { continue }
            let names = text[start.upperBound...].split(separator: separator).map { alternatives in
                alternatives.split(separator: or).map { name(of: String($0), own: own) }.joined(separator: or)
            }
            return text[..<start.upperBound] + names.joined(separator: separator)
        }
        return text
    }
}
