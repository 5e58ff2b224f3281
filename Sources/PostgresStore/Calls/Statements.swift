internal import Postgres

/// The functions that nodes call, each a statement that a connection prepares once.
enum Statements {
    static let schema = call("schema_1", 0)
    static let join = call("join_1", 2)
    static let renew = call("renew_1", 4)
    static let followClock = call("follow_clock_1", 2)
    static let nodes = call("nodes_1", 0)
    static let clockState = call("clock_state_1", 0)
    static let acceptClock = call("accept_clock_1", 1)
    static let leave = call("leave_1", 1)
    static let applied = call("applied_1", 1)
    static let apply = call("apply_1", 2)
    static let snapshot = call("snapshot_1", 0)
    static let apps = call("apps_1", 1)
    static let users = call("users_1", 1)
    static let ownDevices = call("own_devices_1", 1)
    static let organisations = call("organisations_1", 1)
    static let append = call("append_1", 26)
    static let tail = call("tail_1", 3)
    static let findDevices = call("find_devices_1", 2)
    static let claim = call("claim_1", 5)
    static let detach = call("detach_1", 4)
    static let strangers = call("strangers_1", 3)
    static let displace = call("displace_1", 5)
    static let handOver = call("hand_over_1", 5)
    static let settle = call("settle_1", 5)
    static let moveCursors = call("move_cursors_1", 5)
    static let locate = call("locate_1", 1)
    static let ownBits = call("own_bits_1", 4)
    static let pages = call("pages_1", 6)
    static let histories = call("histories_1", 2)
    static let task = call("task_1", 3)
    static let cancel = call("cancel_1", 2)
    static let changeDirectory = call("change_directory_1", 56)

    private static func call(_ name: String, _ count: Int) -> PostgresStatement {
        let parameters = (0..<count).map { "$\($0 + 1)" }.joined(separator: ", ")
        return PostgresStatement("SELECT * FROM psp.\(name)(\(parameters))")
    }
}
