import ArgumentParser
import JSON
import Push

/// `pspctl task`
struct TaskCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "task",
            abstract: say("Show a task: what was pushed, its counts, who has it and who has not.", "查看任务：推送了什么、计数、谁收到了谁没有。"),
            discussion: say(
                """
                Lists the devices of each state that has any, up to --limit a state.
                """,
                """
                列出每种状态的设备，每种最多 --limit 台。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl task TASK_ID",
                    "pspctl task TASK_ID --state pending --all",
                    "pspctl task TASK_ID --json"))
    }

    @Argument(help: ArgumentHelp(say("The task.", "任务。"), valueName: "id"))
    var id: String

    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(say("Only the devices in this state; may be repeated.", "只列出该状态的设备，可重复。"), valueName: "state"))
    var states: [RecipientState] = []

    @Option(
        parsing: .unconditional, help: ArgumentHelp(say("So many devices of each state.", "每种状态列出多少台。"), valueName: "n"),
        transform: WholeNumber.atLeast(1))
    var limit = 20

    @Flag(help: ArgumentHelp(say("All devices of each state.", "每种状态的所有设备。")))
    var all = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static func path(_ id: String) -> [String] { ["psp", "admin", "tasks", id] }

    var call: Call { Call(.get, TaskCommand.path(id)) }

    func run() async throws {
        let client = try server.adminClient()
        let task = try await client.send(call).data
        let wanted = states.isEmpty ? RecipientState.allCases.filter { TaskCommand.count($0, in: task) > 0 } : states
        if server.json {
            try await printJSON(task, wanted, client)
        } else {
            try await printText(task, wanted, client)
        }
    }

    private func listing(_ state: RecipientState, _ client: ServerClient) -> Listing {
        Listing(client: client, path: TaskCommand.path(id) + ["devices"], query: [("state", state.rawValue)])
    }

    private static func count(_ state: RecipientState, in task: JSONValue) -> Int64 {
        task["counts"]?[state.rawValue]?.int64 ?? 0
    }

    private func printText(_ task: JSONValue, _ states: [RecipientState], _ client: ServerClient) async throws {
        if let title = task["payload"]?["body"]?["title"]?.string {
            print(Details.line("title", Output.printable(title), in: task, hiding: ["counts"]))
        }
        for line in Details.lines(of: task, hiding: ["counts"]) { print(line) }
        if let counts = task["counts"] {
            print("")
            for line in Details.lines(of: counts) { print(line) }
        }
        for state in states {
            print("\n" + ValueWords.both(state.rawValue, named: "state") + say(":", "："))
            var shown: Int64 = 0
            let hasMore = try await listing(state, client).read(wanted: all ? nil : limit) { item in
                shown += 1
                let detail = item["detail"].map { "  " + Column.show($0, named: "detail") } ?? ""
                print("  " + Column.show(item["device_token"], named: "device_token") + detail)
            }
            if hasMore {
                let rest = max(0, TaskCommand.count(state, in: task) - shown)
                print("  " + say("… and \(rest) more", "……还有 \(rest) 台"))
            }
        }
    }

    private func printJSON(_ task: JSONValue, _ states: [RecipientState], _ client: ServerClient) async throws {
        var devices: [(state: RecipientState, items: [[UInt8]])] = []
        for state in states {
            var items: [[UInt8]] = []
            _ = try await listing(state, client).read(wanted: all ? nil : limit) { items.append($0.minified()) }
            devices.append((state, items))
        }
        var json = JSONWriter()
        json.object { json in
            json.member("task", raw: task.minified())
            json.key("devices")
            json.object { json in
                for (state, items) in devices {
                    json.key(state.rawValue)
                    json.array { json in for item in items { json.raw(item) } }
                }
            }
        }
        Output.json(json.bytes)
    }
}
