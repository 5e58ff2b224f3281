import ArgumentParser

/// `pspctl push org`
struct PushOrganisation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Push to an organisation and everything below it.",
        discussion: """
            EXAMPLES
              pspctl push org police --app demo --secret SECRET --title Hello
              PSP_SECRET=… pspctl push org police --app demo --custom-json '{"order":7}' --tag orders
            """)

    @Argument(help: ArgumentHelp("The organisation.", valueName: "org"))
    var org: String

    @OptionGroup(title: "Message")
    var message: MessageOptions

    @OptionGroup(title: "Push")
    var push: PushOptions

    @OptionGroup(title: "Caller")
    var caller: CallerOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call {
        get throws { PushRun.call(.message, body: PushBody.bytes(to: .organisation(org), try message.content, push)) }
    }

    func run() async throws {
        try await PushRun.send(call, as: caller, to: server)
    }
}
