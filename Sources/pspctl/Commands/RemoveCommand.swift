import ArgumentParser

/// `pspctl app remove`, `org remove`, `device remove`.
struct RemoveCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "remove", abstract: say("Remove one \(Kind.noun).", "删除一个\(Kind.noun)。"),
            discussion: say("Asks before it does; scripts say --yes.", "删除前会询问；脚本中使用 --yes。") + "\n\n"
                + HelpText.examples(
                    "pspctl \(Kind.group) remove \(Kind.example)", "pspctl \(Kind.group) remove \(Kind.example) --yes"))
    }

    @Argument(help: ArgumentHelp(Kind.meaning, valueName: Kind.identifier))
    var identifier: String

    @OptionGroup
    var confirmation: ConfirmationOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call { Call(.delete, Kind.path(identifier), flags: Kind.flags) }

    func run() async throws {
        let client = try server.adminClient()
        // What is removed does not come back, and a device's secret neither.
        try confirmation.ask(
            say("Remove \(Kind.noun) \(identifier)? [y/N] ", "确定删除\(Kind.noun) \(identifier) 吗？[y/N] "),
            unanswerable: say(
                "Nobody can be asked, since standard input is no terminal: give --yes.", "标准输入不是终端，无法询问：请加 --yes。"))
        let data = try await client.send(call).data
        if server.json { return Output.json(data.minified()) }
        print(say("removed \(Kind.noun) \(identifier)", "已删除\(Kind.noun) \(identifier)"))
    }
}
