import ArgumentParser
import JSON

/// `pspctl org add`
struct OrganisationAdd: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "add", abstract: say("Register an organisation, or change one.", "登记组织机构，或修改组织机构。"),
            discussion: say(
                """
                A new organisation needs --name. With --parent it moves below another one, with all its devices.
                """,
                """
                新组织机构需要 --name。--parent 把它连同其所有设备移到另一组织机构之下。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl org add police --name Police",
                    "pspctl org add traffic --name \"Traffic police\" --parent police"))
    }

    @Argument(help: ArgumentHelp(OrganisationResource.meaning, valueName: OrganisationResource.identifier))
    var org: String

    @Option(help: ArgumentHelp(say("What people call it.", "名称。"), valueName: "text"))
    var name: String?

    @Option(help: ArgumentHelp(say("The organisation that it belongs to.", "所属组织机构。"), valueName: "org"))
    var parent: String?

    @Flag(help: ArgumentHelp(say("Make it a root.", "成为顶级组织机构。")))
    var noParent = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard parent == nil || !noParent else {
            throw ValidationError(say("--parent and --no-parent exclude each other.", "--parent 与 --no-parent 不能同时使用。"))
        }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("name", ifPresent: name)
            json.member("parent_id", orNullIf: noParent, parent)
        }
        return Call(.put, OrganisationResource.path(org), body: json.bytes, flags: OrganisationResource.flags)
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        if server.json { return Output.json(reply.data.minified()) }
        print(reply.told(OrganisationResource.noun, org))
    }
}
