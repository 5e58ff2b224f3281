import ArgumentParser

/// `pspctl push user`
struct PushUser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Push to every device of a user.",
        discussion: """
            EXAMPLES
              pspctl push user officer-7 --app demo --secret SECRET --title Hello
              PSP_SECRET=… pspctl push user officer-7 --app demo --custom-json '{"order":7}' --tag orders
            """)

    @Argument(help: ArgumentHelp("The user.", valueName: "user"))
    var user: String

    @OptionGroup(title: "Message")
    var message: MessageOptions

    @OptionGroup(title: "Push")
    var push: PushOptions

    @OptionGroup(title: "Caller")
    var caller: CallerOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call {
        get throws { PushRun.call(.message, body: PushBody.bytes(to: .user(user), try message.content, push)) }
    }

    func run() async throws {
        try await PushRun.send(call, as: caller, to: server)
    }
}
