import ArgumentParser

/// `pspctl push org`
struct PushOrganisation: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "org", abstract: say("Push to an organisation and everything below it.", "推送给组织机构及其所有下级。"),
            discussion: HelpText.examples(
                "pspctl push org police --app demo --secret SECRET --title Hello --wait",
                "PSP_SECRET=SECRET pspctl push org police --app demo --custom-json '{\"order\":7}' --tag orders",
                "pspctl push org police --app demo --title Hello --dry-run"))
    }

    @Argument(help: ArgumentHelp(say("The organisation.", "组织机构。"), valueName: "org"))
    var org: String

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
                interface: .message, body: PushBody.bytes(to: .organisation(org), try message.content, push),
                flags: ["org_id": "<org>"])
        }
    }

    func run() async throws {
        try await PushRun(caller, push, waiting, to: server).send(order)
    }
}
