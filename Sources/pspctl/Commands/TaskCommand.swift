import ArgumentParser
import JSON
import Push

/// `pspctl task`
struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Show a task: what was pushed, its counts, who has it and who has not.",
        discussion: """
            Lists the devices of each state that has any, up to --limit a state.

            EXAMPLES
              pspctl task TASK_ID
              pspctl task TASK_ID --state pending --all
              pspctl task TASK_ID --json
            """)

    @Argument(help: ArgumentHelp("The task.", valueName: "id"))
    var id: String

    @Option(
        name: .customLong("state"), help: ArgumentHelp("Only the devices in this state; may be repeated.", valueName: "state"))
    var states: [RecipientState] = []

    @Option(help: ArgumentHelp("So many devices of each state.", valueName: "n"))
    var limit = 20

    @Flag(help: "All devices of each state.")
    var all = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit is at least 1.") }
    }

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
        for line in Details.lines(of: task, hiding: ["counts"]) { print(line) }
        if let counts = task["counts"] {
            print("")
            for line in Details.lines(of: counts) { print(line) }
        }
        for state in states {
            print("\n\(state.rawValue):")
            var shown: Int64 = 0
            let hasMore = try await listing(state, client).read(wanted: all ? nil : limit) { item in
                shown += 1
                let detail = item["detail"].map { "  " + Column.show($0, named: "detail") } ?? ""
                print("  " + Column.show(item["device_token"], named: "device_token") + detail)
            }
            if hasMore { print("  … and \(max(0, TaskCommand.count(state, in: task) - shown)) more") }
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
