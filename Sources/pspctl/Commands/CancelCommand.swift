import ArgumentParser

/// `pspctl cancel`
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel a task: nothing more of it is sent.",
        discussion: """
            What is on its way may still arrive. A task that has ended stays as it is.

            EXAMPLE
              pspctl cancel TASK_ID
            """)

    @Argument(help: ArgumentHelp("The task.", valueName: "id"))
    var id: String

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call { Call(.post, TaskCommand.path(id) + ["cancel"]) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print("task \(id) is \(Column.show(data["status"], named: "status"))")
    }
}
