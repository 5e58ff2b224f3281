import ArgumentParser

/// `pspctl app list`, `org list`.
struct ListCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list", abstract: "List the \(Kind.noun)s.",
            discussion: "EXAMPLES\n  pspctl \(Kind.group) list\n  pspctl \(Kind.group) list --all --json")
    }

    @OptionGroup(title: "Page")
    var page: PageOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func run() async throws {
        let listing = Listing(client: try server.adminClient(), path: Kind.path(), query: [])
        try await listing.print(Kind.columns, page: page, json: server.json)
    }
}
