import ArgumentParser

/// `pspctl push config`
struct PushConfiguration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Push a configuration, which replaces the one before it.",
        discussion: """
            Of one app, target, tag and mode only the newest configuration counts; a device that joins the target later receives \
            it too.

            EXAMPLES
              pspctl push config 'cache=2&submit=10' --org police --app demo --secret SECRET
              pspctl push config 'cache=0' --device phone-1 --tag debug --app demo --secret SECRET
            """)

    @Argument(help: "The configuration.")
    var body: String

    @Option(help: ArgumentHelp("To one device.", valueName: "token"))
    var device: String?

    @Option(help: ArgumentHelp("To every device of a user.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("To an organisation and everything below it.", valueName: "org"))
    var org: String?

    @OptionGroup(title: "Push")
    var push: PushOptions

    @OptionGroup(title: "Caller")
    var caller: CallerOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        _ = try target
    }

    var target: PushBody.Target {
        get throws {
            switch (device, user, org) {
            case (let device?, nil, nil): .device(device)
            case (nil, let user?, nil): .user(user)
            case (nil, nil, let org?): .organisation(org)
            default: throw ValidationError("To whom? Give one of --device, --user and --org.")
            }
        }
    }

    var call: Call {
        get throws { PushRun.call(.configuration, body: PushBody.bytes(to: try target, .configuration(body), push)) }
    }

    func run() async throws {
        try await PushRun.send(call, as: caller, to: server)
    }
}
