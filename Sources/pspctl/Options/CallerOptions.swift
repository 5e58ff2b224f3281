import ArgumentParser
import Foundation

/// The app on whose behalf a call is made.
struct CallerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The app that calls; else PSP_APP.", valueName: "appkey"))
    var app: String?

    @Option(
        help: ArgumentHelp("Its master secret; else PSP_SECRET, which the machine's other users cannot see.", valueName: "secret")
    )
    var secret: String?

    /// App and secret, from the options or the environment.
    func credentials(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> (key: String, masterSecret: String) {
        guard let key = app ?? environment["PSP_APP"] else { throw ValidationError("Which app calls? Give --app or PSP_APP.") }
        guard let masterSecret = secret ?? environment["PSP_SECRET"] else {
            throw ValidationError("The app's master secret is missing: give --secret or PSP_SECRET.")
        }
        return (key, masterSecret)
    }

    /// A client that calls as this app.
    func client(_ server: ServerOptions) throws -> ServerClient {
        let (key, masterSecret) = try credentials()
        return try server.appClient(key: key, masterSecret: masterSecret)
    }
}
