import ArgumentParser
import Foundation

/// The app on whose behalf a call is made.
struct CallerOptions: ParsableArguments {
    @Option(help: ArgumentHelp(say("The app that calls; else PSP_APP.", "调用的应用，否则用 PSP_APP。"), valueName: "appkey"))
    var app: String?

    @Option(
        help: ArgumentHelp(
            say(
                "Its master secret; else PSP_SECRET, which other users of the machine cannot see. Without one a "
                    + "push is an operator's.",
                "其应用密钥，否则用 PSP_SECRET（本机其他用户看不到）。没有密钥时，`push` 以运维人员的身份进行。"), valueName: "secret")
    )
    var secret: String?

    /// App and secret, from the options or the environment.
    func credentials(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> (key: String, masterSecret: String) {
        let key = try appKey(environment)
        guard let masterSecret = secret ?? environment["PSP_SECRET"] else {
            throw ValidationError(
                say("The app's master secret is missing: give --secret or PSP_SECRET.", "缺少应用的应用密钥：请给出 --secret 或 PSP_SECRET。"))
        }
        return (key, masterSecret)
    }

    private func appKey(_ environment: [String: String]) throws -> String {
        if let key = app ?? environment["PSP_APP"] { return key }
        throw ValidationError(say("Which app calls? Give --app or PSP_APP.", "哪个应用调用？请给出 --app 或 PSP_APP。"))
    }

    /// On whose behalf a push is made: without the app's secret on that of whoever is logged in, or has the admin token.
    /// - Parameter isDryRun: what a push would do, operators only are told.
    func pusher(
        isDryRun: Bool, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Pusher {
        let key = try appKey(environment)
        guard !isDryRun else {
            guard secret == nil else {
                throw ValidationError(
                    say("--dry-run is for operators: leave --secret out.", "--dry-run 供运维人员使用：请不要给出 --secret。"))
            }
            return .operator(app: key)
        }
        guard let masterSecret = secret ?? environment["PSP_SECRET"] else { return .operator(app: key) }
        return .app(key: key, masterSecret: masterSecret)
    }

    /// A client that calls as this app.
    func client(_ server: ServerOptions) throws -> ServerClient {
        let (key, masterSecret) = try credentials()
        return try server.appClient(key: key, masterSecret: masterSecret)
    }
}
