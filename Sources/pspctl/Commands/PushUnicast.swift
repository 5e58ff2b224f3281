import ArgumentParser

/// `pspctl push unicast`
struct PushUnicast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unicast", abstract: "Push to one device.",
        discussion: """
            EXAMPLES
              pspctl push unicast phone-1 --app demo --secret SECRET --title Hello
              PSP_SECRET=… pspctl push unicast phone-1 --app demo --custom-json '{"order":7}' --tag orders
            """)

    @Argument(help: ArgumentHelp("The device.", valueName: "token"))
    var token: String

    @OptionGroup(title: "Message")
    var message: MessageOptions

    @OptionGroup(title: "Push")
    var push: PushOptions

    @OptionGroup(title: "Caller")
    var caller: CallerOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call {
        get throws { PushRun.call(.message, body: PushBody.bytes(to: .device(token), try message.content, push)) }
    }

    func run() async throws {
        try await PushRun.send(call, as: caller, to: server)
    }
}
