import ArgumentParser

/// `pspctl app show`, `org show`, `device show`.
struct ShowCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show", abstract: say("Show one \(Kind.noun).", "查看一个\(Kind.noun)。"),
            discussion: (Kind.shown.isEmpty ? "" : Kind.shown + "\n\n")
                + HelpText.examples("pspctl \(Kind.group) show \(Kind.example)"))
    }

    @Argument(help: ArgumentHelp(Kind.meaning, valueName: Kind.identifier))
    var identifier: String

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call { Call(.get, Kind.path(identifier), flags: Kind.flags) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        for line in Details.lines(of: data) { print(line) }
    }
}
