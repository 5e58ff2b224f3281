import ArgumentParser

/// `pspctl app list`, `org list`.
struct ListCommand<Kind: Resource>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list", abstract: say("List the \(Kind.noun)s.", "列出\(Kind.noun)。"),
            discussion: HelpText.examples("pspctl \(Kind.group) list", "pspctl \(Kind.group) list --all --json"))
    }

    @OptionGroup(title: say("Page", "分页"))
    var page: PageOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let listing = Listing(client: try server.adminClient(), path: Kind.path(), query: [])
        try await listing.print(Kind.columns, page: page, json: server.json)
    }
}
