import ArgumentParser

/// `pspctl stats`
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Sum the counts of an app's tasks that have the same tag.",
        discussion: """
            EXAMPLE
              pspctl stats --tag orders --app demo --secret SECRET --from 2026-11-24T00:00:00+08:00
            """)

    @Option(help: ArgumentHelp("The tag.", valueName: "text"))
    var tag: String

    @Option(help: ArgumentHelp("Not the tasks before this time: Unix time or RFC 3339.", valueName: "time"))
    var from: Instant?

    @Option(help: ArgumentHelp("Only the tasks before this time.", valueName: "time"))
    var to: Instant?

    @OptionGroup(title: "Caller")
    var caller: CallerOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call {
        Call(
            .get, ["psp", "push", "stats"],
            query: [
                ("tag", tag), ("from", from.map { String($0.milliseconds) }), ("to", to.map { String($0.milliseconds) }),
            ])
    }

    func run() async throws {
        let data = try await caller.client(server).send(call).data
        if server.json { return Output.json(data.minified()) }
        for line in Details.lines(of: data) { print(line) }
    }
}
