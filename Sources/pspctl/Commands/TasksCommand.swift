import ArgumentParser
import JSON

/// `pspctl tasks`
struct TasksCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "tasks", abstract: say("List the tasks of all apps, newest first.", "列出所有应用的任务，新的在前。"),
            discussion: HelpText.examples(
                "pspctl tasks",
                "pspctl tasks --app demo --tag orders",
                "pspctl tasks --app demo --out-biz-no order-7",
                "pspctl tasks --app demo --from 2026-11-24T00:00:00+08:00 --all"))
    }

    @Option(help: ArgumentHelp(say("Only those of this app.", "只列出该应用的任务。"), valueName: "appkey"))
    var app: String?

    @Option(help: ArgumentHelp(say("Only those to this organisation.", "只列出推给该组织机构的任务。"), valueName: "org"))
    var org: String?

    @Option(help: ArgumentHelp(say("Only those with this tag.", "只列出带该标签的任务。"), valueName: "text"))
    var tag: String?

    @Option(help: ArgumentHelp(say("Only those with this id of the caller's own.", "只列出该编号（out_biz_no）的任务。"), valueName: "id"))
    var outBizNo: String?

    @OptionGroup
    var period: PeriodOptions

    @OptionGroup(title: say("Page", "分页"))
    var page: PageOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static var columns: [Column] {
        [
            Column(say("TASK", "任务"), "task_id"), Column(say("CREATED", "创建时间"), "created_at"),
            Column(say("APP", "应用"), "appkey"), Column(say("KIND", "接口"), "interface"),
            Column(say("TARGET", "目标"), text: target), Column(say("STATUS", "状态"), "status"),
            Column(say("TARGETED", "目标数"), "counts", "targeted", isNumber: true),
            Column(say("DELIVERED", "已送达"), "counts", "delivered", isNumber: true),
            Column(say("PENDING", "待送达"), "counts", "pending", isNumber: true),
            Column(say("TAG", "标签"), "tag"),
        ]
    }

    @Sendable private static func target(of task: JSONValue) -> String {
        for (key, noun) in [
            ("device_tokens", DeviceResource.noun), ("user_id", say("user", "使用人")), ("org_id", say("org", "组织机构")),
        ] {
            if let name = task[key]?.string { return "\(noun) \(Output.printable(name))" }
        }
        return "-"
    }

    var query: [(name: String, value: String?)] {
        [("appkey", app), ("org_id", org), ("tag", tag), ("out_biz_no", outBizNo)] + period.query
    }

    func run() async throws {
        let listing = Listing(client: try server.adminClient(), path: ["psp", "admin", "tasks"], query: query)
        try await listing.print(TasksCommand.columns, page: page, json: server.json)
    }
}
