import Push

/// Chinese words for values that the server names in English, by the member that they stand in. The English name stays beside the
/// word where it is shown, since flags, scripts and documents know it.
enum ValueWords {
    /// What an operator reads: "待送达（pending）" in Chinese, the name itself in English, and where there is no word for it.
    static func both(_ value: String, named name: String) -> String {
        guard Speech.language == .chinese, let word = chinese[name]?[value] else { return value }
        return "\(word)（\(value)）"
    }

    /// The word alone, where there is little room.
    static func short(_ value: String, named name: String) -> String {
        Speech.language == .chinese ? chinese[name]?[value] ?? value : value
    }

    /// By the member's name, then by its value. `state` is a server's, an import's and that of a device to a task: they share no
    /// name with two meanings.
    private static let chinese: [String: [String: String]] = [
        "state": states, "status": statuses, "health": health, "reason": reasons, "event": events, "result": results,
        "longest_hold": pieces, "subject": subjects,
    ]

    private static let states = health.merging(
        [
            "ready": "就绪", "draining": "正在结束", "lapsed": "租约失效", "running": "进行中", "done": "已完成", "delivered": "已送达",
            "pending": "待送达",
            "expired": "已过期", "superseded": "被新配置取代", "cancelled": "已取消", "withdrawn": "已撤回", "skipped_oversize": "超限跳过",
            "rejected": "被设备拒收", "opened": "已打开", "applied": "已应用", "failed": "失败",
        ]) { _, new in new }

    private static let statuses = [
        "active": "进行中", "completed": "已全部完成", "expired": "已过期", "cancelled": "已取消", "superseded": "被新配置取代",
    ]

    private static let health = [
        "serving": "正常", "behind": "处理不过来", "disk_full": "磁盘已满", "blocked": "暂时无法写入", "unreachable": "无法连接", "failed": "已失败",
    ]

    private static let reasons = [
        "not_registered": "当时未登记", "not_in_target": "不在目标之内", "ended": "已有结果", "offline": "设备离线", "catching_up": "正在补读",
        "sent": "已发送，未确认", "waiting": "排队等待", "untold": "没有及时回答",
    ]

    private static let events = [
        "request": "请求", "push": "推送", "connect": "请求连接", "connected": "已连接", "refused": "拒绝", "sent": "已发送",
        "skipped_oversize": "超限跳过", "acknowledged": "已确认", "rejected": "被设备拒收", "window_full": "窗口已满", "receipt": "回执",
        "closed": "连接关闭", "left_out": "省略",
    ]

    /// Of what `doctor` judges.
    private static let subjects = [
        "state": "状态", "lease": "租约", "database's standby": "数据库备库", "database's functions": "数据库函数", "descriptors": "描述符",
        "disk": "磁盘", "clock": "时钟", "certificate": "证书", "devices": "设备", "through the balancer": "通过负载均衡",
        "database": "数据库", "database's primary": "数据库主库", "database's address": "数据库地址", "database's nodes": "数据库的节点",
        "database's tables": "数据库表",
        "client's address": "客户端地址", "keep-alive": "保持连接", "largest body": "最大的请求体", "idle time": "空闲时间",
    ]

    private static let pieces = ["call": "调用", "slice": "分段", "commit": "提交", "upkeep": "维护"]

    private static let results = [
        "stored": "已写入", "repeated": "重复", "refused": "被拒绝", "unavailable": "暂时不可用", "unknown": "结果不明",
    ]
}
