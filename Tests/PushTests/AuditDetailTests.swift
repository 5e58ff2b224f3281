import Push
import Testing

@Suite("What an entry of the audit log tells field by field")
struct AuditDetailTests {
    @Test("it is read as it was kept; what is long or cannot be seen is made fit to be shown")
    func text() {
        let details = [
            AuditDetail("role", from: "viewer", to: "sender"), AuditDetail("org_id", from: "east"), AuditDetail("password"),
            AuditDetail("display_name", to: "\u{1B}[31m\", \"field\": \"role"),
            AuditDetail("name", to: String(repeating: "x", count: 300)),
        ]
        #expect(AuditDetail.read(AuditDetail.text(of: details)) == details)
        #expect(AuditDetail.text(of: []) == nil && AuditDetail.read(nil).isEmpty && AuditDetail.read("{").isEmpty)
        #expect(details[3].present == "\\u001b[31m\", \"field\": \"role")
        #expect(details[4].present == String(repeating: "x", count: 128) + "…")
    }

    @Test("a secret's change is told by its name; that a new record has one is not told")
    func secrets() {
        func record(_ role: String?, _ secret: String) -> AuditedFields {
            AuditedFields([("role", .shown(role)), ("password", .secret(secret))])
        }
        #expect(AuditDetail.differences(from: nil, to: record("viewer", "s")) == [AuditDetail("role", to: "viewer")])
        #expect(AuditDetail.differences(from: record("viewer", "s"), to: record("viewer", "t")) == [AuditDetail("password")])
        #expect(
            AuditDetail.differences(from: record("viewer", "s"), to: record(nil, "s")) == [AuditDetail("role", from: "viewer")])
        #expect(AuditDetail.differences(from: record(nil, "s"), to: record(nil, "s")).isEmpty)
    }
}
