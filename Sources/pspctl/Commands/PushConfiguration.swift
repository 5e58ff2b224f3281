import ArgumentParser

/// `pspctl push config`
struct PushConfiguration: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "config", abstract: say("Push a configuration, which replaces the one before it.", "推送配置，取代之前的配置。"),
            discussion: say(
                """
                Of one app, target, tag and mode only the newest configuration counts; a device that joins the target \
                later receives it too.
                """,
                """
                同一应用、目标、标签和模式下只有最新的配置有效；之后加入目标的设备也会收到。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl push config 'cache=2&submit=10' --org police --app demo --secret SECRET",
                    "pspctl push config 'cache=0' --device phone-1 --tag debug --app demo --secret SECRET"))
    }

    @Argument(help: ArgumentHelp(say("The configuration.", "配置。")))
    var body: String

    @Option(help: ArgumentHelp(say("To one device.", "推送给一台设备。"), valueName: "token"))
    var device: String?

    @Option(help: ArgumentHelp(say("To every device of a user.", "推送给使用人的所有设备。"), valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp(say("To an organisation and everything below it.", "推送给组织机构及其所有下级。"), valueName: "org"))
    var org: String?

    @OptionGroup(title: say("Push", "推送"))
    var push: PushOptions

    @OptionGroup(title: say("Push", "推送"))
    var waiting: WaitOptions

    @OptionGroup(title: say("Caller", "调用方"))
    var caller: CallerOptions

    @OptionGroup(title: say("Server", "服务器"))
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
            case (nil, nil, nil):
                throw ValidationError(
                    say("To whom? Give one of --device, --user and --org.", "推给谁？请给出 --device、--user、--org 之一。"))
            default:
                throw ValidationError(
                    say("Give only one of --device, --user and --org.", "--device、--user、--org 只能给出其中之一。"))
            }
        }
    }

    var order: PushOrder {
        get throws {
            PushOrder(
                interface: .configuration, body: PushBody.bytes(to: try target, .configuration(body), push),
                flags: ["device_tokens": "--device", "payload": "<body>", "payload.body": "<body>"])
        }
    }

    func run() async throws {
        try await PushRun(caller, push, waiting, to: server).send(order)
    }
}
