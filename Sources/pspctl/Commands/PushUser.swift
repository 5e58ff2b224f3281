import ArgumentParser

/// `pspctl push user`
struct PushUser: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "user", abstract: say("Push to every device of a user.", "推送给使用人的所有设备。"),
            discussion: HelpText.examples(
                "pspctl push user officer-7 --app demo --secret SECRET --title Hello --wait",
                "PSP_SECRET=SECRET pspctl push user officer-7 --app demo --custom-json '{\"order\":7}' --tag orders",
                "pspctl push user officer-7 --app demo --title Hello --dry-run"))
    }

    @Argument(help: ArgumentHelp(say("The user.", "使用人。"), valueName: "user"))
    var user: String

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
        get throws {
            PushOrder(
                interface: .message, body: PushBody.bytes(to: .user(user), try message.content, push),
                flags: ["user_id": "<user>"])
        }
    }

    func run() async throws {
        try await PushRun(caller, push, waiting, to: server).send(order)
    }
}
