import ArgumentParser
import JSON
import Push

/// `pspctl app add`
struct AppAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Register an app, or change one.",
        discussion: """
            A new app needs --name and --interface; its master secret is made and printed unless it is given. Of one that \
            exists, what is left out stays as it is.

            EXAMPLES
              pspctl app add demo --name Demo --interface msg --interface config
              pspctl app add demo --scope police
              pspctl app add demo --disabled
            """)

    @Argument(help: ArgumentHelp("Which one.", valueName: AppResource.identifier))
    var appkey: String

    @Option(help: ArgumentHelp("What people call it.", valueName: "text"))
    var name: String?

    @Option(name: .customLong("interface"), help: ArgumentHelp("What it may use; may be repeated.", valueName: "name"))
    var interfaces: [Interface] = []

    @Option(help: ArgumentHelp("Its master secret.", valueName: "secret"))
    var masterSecret: String?

    @Option(help: ArgumentHelp("The organisation below which it may push.", valueName: "org"))
    var scope: String?

    @Flag(help: "Let it push to everyone.")
    var noScope = false

    @Flag(name: .customLong("disabled"), help: "Refuse its calls from now on.")
    var isDisabled = false

    @Flag(name: .customLong("enabled"), help: "Take its calls again.")
    var isEnabled = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard scope == nil || !noScope else { throw ValidationError("--scope and --no-scope exclude each other.") }
        guard !isDisabled || !isEnabled else { throw ValidationError("--enabled and --disabled exclude each other.") }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("name", ifPresent: name)
            if !interfaces.isEmpty {
                json.key("interfaces")
                json.array { json in for interface in interfaces { json.value(interface.rawValue) } }
            }
            json.member("master_secret", ifPresent: masterSecret)
            json.member("org_id", orNullIf: noScope, scope)
            if isDisabled || isEnabled { json.member("disabled", isDisabled) }
        }
        return Call(.put, AppResource.path(appkey), body: json.bytes)
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        if server.json { return Output.json(reply.data.minified()) }
        print("\(reply.status == 201 ? "created" : "updated") app \(appkey)")
        if let secret = reply.data["master_secret"]?.string { print("master secret: \(Output.printable(secret))") }
    }
}
