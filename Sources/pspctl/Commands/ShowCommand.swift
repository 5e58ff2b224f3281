import ArgumentParser

/// `pspctl app show`, `org show`, `device show`.
struct ShowCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show", abstract: "Show one \(Kind.noun).",
            discussion: "EXAMPLE\n  pspctl \(Kind.group) show \(Kind.example)")
    }

    @Argument(help: ArgumentHelp("Which one.", valueName: Kind.identifier))
    var identifier: String

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call { Call(.get, Kind.path(identifier)) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        for line in Details.lines(of: data) { print(line) }
    }
}
