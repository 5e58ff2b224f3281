import ArgumentParser

/// `pspctl push unicast`
struct PushUnicast: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "unicast", abstract: say("Push to one device.", "推送给一台设备。"),
            discussion: HelpText.examples(
                "pspctl push unicast phone-1 --app demo --secret SECRET --title Hello --wait",
                "PSP_SECRET=SECRET pspctl push unicast phone-1 --app demo --custom-json '{\"order\":7}' --tag orders",
                "pspctl push unicast phone-1 --app demo --title Hello --dry-run"))
    }

    @Argument(help: ArgumentHelp(say("The device.", "设备。"), valueName: "token"))
    var token: String

    @OptionGroup(title: say("Message", "内容"))
    var message: MessageOptions

    @OptionGroup(title: say("Push", "推送"))
    var push: PushOptions

    @OptionGroup(title: say("Push", "推送"))
    var waiting: WaitOptions

    @OptionGroup(title: say("Caller", "调用方"))
    var caller: CallerOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var order: PushOrder {
        get throws { PushOrder(interface: .message, body: PushBody.bytes(to: .device(token), try message.content, push)) }
    }

    func run() async throws {
        try await PushRun(caller, push, waiting, to: server).send(order)
    }
}
