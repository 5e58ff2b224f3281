import ArgumentParser
import Foundation

/// The app on whose behalf a call is made.
struct CallerOptions: ParsableArguments {
    @Option(help: ArgumentHelp(say("The app that calls; else PSP_APP.", "调用的应用，否则用 PSP_APP。"), valueName: "appkey"))
    var app: String?

    @Option(
        help: ArgumentHelp(
            say(
                "Its master secret; else PSP_SECRET, which the machine's other users cannot see.",
                "其应用密钥，否则用 PSP_SECRET（本机其他用户看不到）。"), valueName: "secret")
    )
    var secret: String?

    /// App and secret, from the options or the environment.
    func credentials(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> (key: String, masterSecret: String) {
        guard let key = app ?? environment["PSP_APP"] else {
            throw ValidationError(say("Which app calls? Give --app or PSP_APP.", "哪个应用调用？请给出 --app 或 PSP_APP。"))
        }
        guard let masterSecret = secret ?? environment["PSP_SECRET"] else {
            throw ValidationError(
                say("The app's master secret is missing: give --secret or PSP_SECRET.", "缺少应用的应用密钥：请给出 --secret 或 PSP_SECRET。"))
        }
        return (key, masterSecret)
    }

    /// A client that calls as this app.
    func client(_ server: ServerOptions) throws -> ServerClient {
        let (key, masterSecret) = try credentials()
        return try server.appClient(key: key, masterSecret: masterSecret)
    }
}
