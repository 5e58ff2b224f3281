import ArgumentParser
import JSON
import Push

/// `pspctl device add`
struct DeviceAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Register a device, or change one.",
        discussion: """
            A new device needs --platform and --org; its secret is made and printed unless it is given. Of one that exists, what \
            is left out stays as it is; its platform never changes. Another --user is a change of holder: what is pending for \
            the device is withdrawn.

            EXAMPLES
              pspctl device add phone-1 --platform android --org police --user officer-7
              pspctl device add phone-1 --org traffic
              pspctl device add phone-1 --test
            """)

    @Argument(help: ArgumentHelp("Which one.", valueName: DeviceResource.identifier))
    var token: String

    @Option(help: ArgumentHelp("What it runs; it never changes.", valueName: "name"))
    var platform: Platform?

    @Option(help: ArgumentHelp("The organisation that it belongs to.", valueName: "org"))
    var org: String?

    @Option(help: ArgumentHelp("Who holds it.", valueName: "user"))
    var user: String?

    @Flag(help: "Nobody holds it any more.")
    var noUser = false

    @Flag(inversion: .prefixedNo, help: "Whether it receives what is pushed in test mode.")
    var test: Bool?

    @Option(help: ArgumentHelp("Its secret, which is its MQTT password.", valueName: "secret"))
    var secret: String?

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard user == nil || !noUser else { throw ValidationError("--user and --no-user exclude each other.") }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("platform", ifPresent: platform?.rawValue)
            json.member("org_id", ifPresent: org)
            json.member("user_id", orNullIf: noUser, user)
            if let test { json.member("test", test) }
            json.member("secret", ifPresent: secret)
        }
        return Call(.put, DeviceResource.path(token), body: json.bytes)
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        if server.json { return Output.json(reply.data.minified()) }
        print("\(reply.status == 201 ? "created" : "updated") device \(token)")
        if let secret = reply.data["secret"]?.string { print("secret: \(Output.printable(secret))") }
    }
}
