import ArgumentParser
import JSON

/// `pspctl org add`
struct OrganisationAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Register an organisation, or change one.",
        discussion: """
            A new organisation needs --name. With --parent it moves below another one, with all its devices.

            EXAMPLES
              pspctl org add police --name Police
              pspctl org add traffic --name "Traffic police" --parent police
            """)

    @Argument(help: ArgumentHelp("Which one.", valueName: OrganisationResource.identifier))
    var org: String

    @Option(help: ArgumentHelp("What people call it.", valueName: "text"))
    var name: String?

    @Option(help: ArgumentHelp("The organisation that it belongs to.", valueName: "org"))
    var parent: String?

    @Flag(help: "Make it a root.")
    var noParent = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard parent == nil || !noParent else { throw ValidationError("--parent and --no-parent exclude each other.") }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("name", ifPresent: name)
            json.member("parent_id", orNullIf: noParent, parent)
        }
        return Call(.put, OrganisationResource.path(org), body: json.bytes)
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        if server.json { return Output.json(reply.data.minified()) }
        print("\(reply.status == 201 ? "created" : "updated") organisation \(org)")
    }
}
