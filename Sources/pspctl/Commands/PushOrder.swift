import Push

/// Who makes a push.
enum Pusher: Equatable, Sendable {
    /// The app itself, at the REST listener.
    case app(key: String, masterSecret: String)
    /// An operator on behalf of the app, at the admin listener.
    case `operator`(app: String)

    func client(_ server: ServerOptions) throws(Failure) -> ServerClient {
        switch self {
        case .app(let key, let masterSecret): try server.appClient(key: key, masterSecret: masterSecret)
        case .operator: try server.adminClient()
        }
    }

    /// Where it looks at a task.
    func path(ofTask task: String) -> [String] {
        switch self {
        case .app: ["psp", "push", "task", task]
        case .operator: TaskCommand.path(task)
        }
    }
}

/// A push, whoever makes it.
struct PushOrder: Equatable, Sendable {
    let interface: Interface
    let body: [UInt8]
    /// How the command names fields: see ``Flags``.
    var flags: [String: String] = [:]

    func call(by pusher: Pusher, isDryRun: Bool = false) -> Call {
        switch pusher {
        case .app: Call(.post, ["psp", "push", interface.rawValue], body: body, flags: flags)
        case .operator(let app):
            Call(
                .post, ["psp", "admin", "push"],
                query: [("appkey", app), ("interface", interface.rawValue), ("dry_run", isDryRun ? "1" : nil)], body: body,
                flags: flags)
        }
    }
}
