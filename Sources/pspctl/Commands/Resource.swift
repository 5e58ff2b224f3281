/// A kind of thing that the server's directory holds: what `show`, `list` and `remove` differ in.
protocol Resource: Sendable {
    /// As messages name it.
    static var noun: String { get }
    /// As its identifier is called in usage texts.
    static var identifier: String { get }
    /// The fields of the interface that are the identifier, as ``Flags`` names it.
    static var flags: [String: String] { get }
    /// An identifier for the examples in help texts.
    static var example: String { get }
    /// Its segment of the admin interface, which is also the member of a reply that holds the identifier.
    static var segment: String { get }
    /// What its identifier is, for help.
    static var meaning: String { get }
    /// The name of the group of commands.
    static var group: String { get }
    static var columns: [Column] { get }
    /// What `show` tells that its names do not say, for its help; empty where there is nothing of that kind.
    static var shown: String { get }
}

extension Resource {
    static var shown: String { "" }

    /// The address of one of them, or of all.
    static func path(_ identifier: String? = nil) -> [String] {
        ["psp", "admin", segment] + (identifier.map { [$0] } ?? [])
    }
}

enum AppResource: Resource {
    static var noun: String { say("app", "应用") }
    static let identifier = "appkey"
    static var meaning: String { say("The app's appkey.", "应用标识（appkey）。") }
    static let example = "demo"
    static let segment = "apps"
    static let flags = ["appkey": "<appkey>"]
    static let group = "app"
    static var shown: String {
        say(
            """
            'former_secret' tells that the secret was rotated and the one before is still taken; 'master_secret_last_used' and \
            'former_secret_last_used' are the days (UTC) on which each was used last.
            """,
            """
            former_secret 为 true 表示密钥已更换而原密钥仍然有效；master_secret_last_used 和 former_secret_last_used 是两个密钥最近一次使用的日期（UTC）。
            """)
    }
    static var columns: [Column] {
        [
            Column(say("APPKEY", "应用"), "appkey"), Column(say("NAME", "名称"), "name"),
            Column(say("INTERFACES", "接口"), "interfaces"), Column(say("SCOPE", "范围"), "org_id"),
            Column(say("DISABLED", "停用"), "disabled"),
        ]
    }
}

enum OrganisationResource: Resource {
    static var noun: String { say("organisation", "组织机构") }
    static let identifier = "org"
    static var meaning: String { say("The organisation's id.", "组织机构的标识。") }
    static let example = "police"
    static let segment = "orgs"
    static let flags = ["org_id": "<org>"]
    static let group = "org"
    static var columns: [Column] {
        [
            Column(say("ORG", "组织机构"), "org_id"), Column(say("NAME", "名称"), "name"), Column(say("PARENT", "上级"), "parent_id"),
            Column(say("DEVICES", "设备数"), "devices", isNumber: true),
            Column(say("ONLINE", "在线"), "online", isNumber: true),
        ]
    }
}

enum OperatorResource: Resource {
    static var noun: String { say("operator", "运维账号") }
    static let identifier = "name"
    static var meaning: String { say("The operator's name.", "运维账号的名称。") }
    static let example = "ann"
    static let segment = "operators"
    static let flags = ["name": "<name>"]
    static let group = "operator"
    static var columns: [Column] {
        [
            Column(say("NAME", "账号"), "name"), Column(say("DISPLAY NAME", "姓名"), "display_name"),
            Column(say("ROLE", "角色"), "role"), Column(say("SCOPE", "范围"), "org_id"),
            Column(say("DISABLED", "停用"), "disabled"), Column(say("LAST LOGIN", "最近登录"), "last_login_at"),
        ]
    }
}

enum DeviceResource: Resource {
    static var noun: String { say("device", "设备") }
    static let identifier = "token"
    static var meaning: String { say("The device's token.", "设备标识（device token）。") }
    static let example = "phone-1"
    static let segment = "devices"
    static let flags = ["device_token": "<token>"]
    static let group = "device"
    static var shown: String {
        say(
            """
            'pending' is what is still to be delivered to it; with 'pending_more' counting ended at 10,000. 'unacknowledged' is \
            what was sent on its present connection and not acknowledged, the oldest of it at 'oldest_unacknowledged_at'. If \
            that grows old, the device's program does not acknowledge.
            """,
            """
            pending 是还要送达该设备的推送数；出现 pending_more 时，只数到 10,000。unacknowledged 是在当前连接上已发出而设备尚未确认的条数，\
            其中最早一条的发出时间是 oldest_unacknowledged_at。如果它越来越旧，说明设备上的程序没有确认。
            """)
    }
    static var columns: [Column] {
        [
            Column(say("DEVICE", "设备"), "device_token"), Column(say("PLATFORM", "平台"), "platform"),
            Column(say("ORG", "组织机构"), "org_id"), Column(say("USER", "使用人"), "user_id"),
            Column(say("TEST", "测试"), "test"), Column(say("ONLINE", "在线"), "online"),
            Column(say("LAST SEEN", "最近在线"), "last_seen"),
        ]
    }
}
