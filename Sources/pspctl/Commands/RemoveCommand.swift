import ArgumentParser

/// `pspctl app remove`, `org remove`, `device remove`.
struct RemoveCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "remove", abstract: "Remove one \(Kind.noun).",
            discussion: "EXAMPLE\n  pspctl \(Kind.group) remove \(Kind.example)")
    }

    @Argument(help: ArgumentHelp("Which one.", valueName: Kind.identifier))
    var identifier: String

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var call: Call { Call(.delete, Kind.path(identifier)) }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print("removed \(Kind.noun) \(identifier)")
    }
}
