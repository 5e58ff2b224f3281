import ArgumentParser

/// `pspctl cancel`
struct CancelCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "cancel", abstract: say("Cancel a task: nothing more of it is sent.", "取消任务：不再发送。"),
            discussion: say(
                """
                What is on its way may still arrive. A task that has ended stays as it is.
                """,
                """
                已经在路上的仍可能到达。已结束的任务保持不变。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl cancel TASK_ID"))
    }

    @Argument(help: ArgumentHelp(say("The task.", "任务。"), valueName: "id"))
    var id: String

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call { Call(.post, TaskCommand.path(id) + ["cancel"]) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        let status = Column.show(data["status"], named: "status")
        print(say("task \(id) is \(status)", "任务 \(id) 的状态为 \(status)"))
    }
}
