import ArgumentParser

/// `pspctl stats`
struct StatsCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "stats", abstract: say("Sum the counts of an app's tasks that have the same tag.", "统计应用带同一标签的任务。"),
            discussion: say(
                """
                Without --from and --to all tasks with that tag count, as far back as they are kept.
                """,
                """
                不给 --from 和 --to 时统计仍保留的所有带该标签的任务。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl stats --tag orders --app demo --secret SECRET",
                    "pspctl stats --tag orders --app demo --secret SECRET --from 2026-11-24T00:00:00+08:00",
                    "pspctl stats --tag orders --app demo --secret SECRET --from 1795449600 --to 1795536000",
                    "PSP_APP=demo PSP_SECRET=SECRET pspctl stats --tag orders --json"))
    }

    @Option(help: ArgumentHelp(say("The tag.", "标签。"), valueName: "text"))
    var tag: String

    @Option(
        help: ArgumentHelp(
            say("Not the tasks before this time: Unix time or RFC 3339.", "不早于该时间的任务：Unix 时间或 RFC 3339。"), valueName: "time"),
        transform: Instant.reading)
    var from: Instant?

    @Option(
        help: ArgumentHelp(say("Only the tasks before this time.", "早于该时间的任务。"), valueName: "time"), transform: Instant.reading)
    var to: Instant?

    @OptionGroup(title: say("Caller", "调用方"))
    var caller: CallerOptions

    @OptionGroup(title: say("Server", "服务器"))
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
