import ArgumentParser

/// `pspctl device list`.
struct DeviceList: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list", abstract: say("List the devices.", "列出设备。"),
            discussion: say(
                """
                Those of --org are those of the organisation and of everything below it; with --own only its own.
                """,
                """
                --org 列出该组织机构及其所有下级的设备；加 --own 只列出该组织机构的设备。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl device list",
                    "pspctl device list --org police --online",
                    "pspctl device list --org police --own",
                    "pspctl device list --user officer-7 --json"))
    }

    @Option(
        help: ArgumentHelp(
            say("Only those of this organisation and of everything below it.", "只列出该组织机构及其所有下级的设备。"), valueName: "org"))
    var org: String?

    @Flag(help: ArgumentHelp(say("Of --org only its own devices.", "--org 只列出该组织机构的设备。")))
    var own = false

    @Option(help: ArgumentHelp(say("Only those of this user.", "只列出该使用人的设备。"), valueName: "user"))
    var user: String?

    @Flag(inversion: .prefixedNo, help: ArgumentHelp(say("Only those that are connected, or that are not.", "只列出在线的，或不在线的。")))
    var online: Bool?

    @OptionGroup(title: say("Page", "分页"))
    var page: PageOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard !own || org != nil else { throw ValidationError(say("--own needs --org.", "--own 须与 --org 一起使用。")) }
    }

    private func query(_ org: String?) -> [(name: String, value: String?)] {
        [("org_id", org), ("user_id", user), ("online", online.map { $0 ? "true" : "false" })]
    }

    func run() async throws {
        let client = try server.adminClient()
        var orgs: [String?] = [org]
        if let org {
            // One that there is not is told as such: its list would be empty.
            let tree = try await OrganisationTree(below: org, client)
            orgs = own ? [org] : tree.withDevices
        }
        let listing = Listing(client: client, path: DeviceResource.path(), queries: orgs.map(query))
        try await listing.print(DeviceResource.columns, page: page, json: server.json)
    }
}
