/// A kind of thing that the server's directory holds: what `show`, `list` and `remove` differ in.
protocol Resource: Sendable {
    /// As messages name it.
    static var noun: String { get }
    /// As its identifier is called in usage texts.
    static var identifier: String { get }
    /// An identifier for the examples in help texts.
    static var example: String { get }
    /// Its segment of the admin interface, which is also the member of a reply that holds the identifier.
    static var segment: String { get }
    /// The name of the group of commands.
    static var group: String { get }
    static var columns: [Column] { get }
}

extension Resource {
    /// The address of one of them, or of all.
    static func path(_ identifier: String? = nil) -> [String] {
        ["psp", "admin", segment] + (identifier.map { [$0] } ?? [])
    }
}

enum AppResource: Resource {
    static let noun = "app"
    static let identifier = "appkey"
    static let example = "demo"
    static let segment = "apps"
    static let group = "app"
    static let columns = [
        Column("APPKEY", "appkey"), Column("NAME", "name"), Column("INTERFACES", "interfaces"), Column("SCOPE", "org_id"),
        Column("DISABLED", "disabled"),
    ]
}

enum OrganisationResource: Resource {
    static let noun = "organisation"
    static let identifier = "org"
    static let example = "police"
    static let segment = "orgs"
    static let group = "org"
    static let columns = [
        Column("ORG", "org_id"), Column("NAME", "name"), Column("PARENT", "parent_id"),
        Column("DEVICES", "devices", isNumber: true),
        Column("ONLINE", "online", isNumber: true),
    ]
}

enum DeviceResource: Resource {
    static let noun = "device"
    static let identifier = "token"
    static let example = "phone-1"
    static let segment = "devices"
    static let group = "device"
    static let columns = [
        Column("DEVICE", "device_token"), Column("PLATFORM", "platform"), Column("ORG", "org_id"), Column("USER", "user_id"),
        Column("TEST", "test"), Column("ONLINE", "online"), Column("LAST SEEN", "last_seen"),
    ]
}
