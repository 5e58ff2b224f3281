import ArgumentParser
import JSON

/// `pspctl tasks`
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "List the tasks of all apps, newest first.",
        discussion: """
            EXAMPLES
              pspctl tasks
              pspctl tasks --app demo --from 2026-11-24T00:00:00+08:00 --all
            """)

    @Option(help: ArgumentHelp("Only those of this app.", valueName: "appkey"))
    var app: String?

    @Option(help: ArgumentHelp("Only those to this organisation.", valueName: "org"))
    var org: String?

    @Option(help: ArgumentHelp("Not those before this time: Unix time or RFC 3339.", valueName: "time"))
    var from: Instant?

    @Option(help: ArgumentHelp("Only those before this time.", valueName: "time"))
    var to: Instant?

    @OptionGroup(title: "Page")
    var page: PageOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    static let columns = [
        Column("TASK", "task_id"), Column("CREATED", "created_at"), Column("APP", "appkey"), Column("KIND", "interface"),
        Column("TARGET", text: target), Column("STATUS", "status"), Column("TARGETED", "counts", "targeted", isNumber: true),
        Column("DELIVERED", "counts", "delivered", isNumber: true), Column("PENDING", "counts", "pending", isNumber: true),
        Column("TAG", "tag"),
    ]

    @Sendable private static func target(of task: JSONValue) -> String {
        for (key, noun) in [("device_tokens", "device"), ("user_id", "user"), ("org_id", "org")] {
            if let name = task[key]?.string { return "\(noun) \(Output.printable(name))" }
        }
        return "-"
    }

    var query: [(name: String, value: String?)] {
        [
            ("appkey", app), ("org_id", org), ("from", from.map { String($0.milliseconds) }),
            ("to", to.map { String($0.milliseconds) }),
        ]
    }

    func run() async throws {
        let listing = Listing(client: try server.adminClient(), path: ["psp", "admin", "tasks"], query: query)
        try await listing.print(TasksCommand.columns, page: page, json: server.json)
    }
}
