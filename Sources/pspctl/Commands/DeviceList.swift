import ArgumentParser

/// `pspctl device list`.
struct DeviceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the devices.",
        discussion: """
            EXAMPLES
              pspctl device list
              pspctl device list --org police --online
              pspctl device list --user officer-7 --json
            """)

    @Option(help: ArgumentHelp("Only those of this organisation.", valueName: "org"))
    var org: String?

    @Option(help: ArgumentHelp("Only those of this user.", valueName: "user"))
    var user: String?

    @Flag(inversion: .prefixedNo, help: "Only those that are connected, or that are not.")
    var online: Bool?

    @OptionGroup(title: "Page")
    var page: PageOptions

    @OptionGroup(title: "Server")
    var server: ServerOptions

    var query: [(name: String, value: String?)] {
        [("org_id", org), ("user_id", user), ("online", online.map { $0 ? "true" : "false" })]
    }

    func run() async throws {
        let listing = Listing(client: try server.adminClient(), path: DeviceResource.path(), query: query)
        try await listing.print(DeviceResource.columns, page: page, json: server.json)
    }
}
