import ArgumentParser
import Foundation

/// Which server, and how to answer: every command has these.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say(
                "The data directory of a server on this machine; else PSP_DATA, else ./data.", "本机服务器的数据目录，否则 PSP_DATA，否则 ./data。"
            ), valueName: "dir"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            say(
                "The server's admin listener, instead of the one in DIR/pspd.json: HOST:PORT, or https://HOST:PORT with TLS.",
                "服务器的运维监听地址，代替 DIR/pspd.json 中的：HOST:PORT，TLS 用 https://HOST:PORT。"),
            valueName: "url"))
    var admin: Endpoint?

    @Option(
        help: ArgumentHelp(
            say(
                "Its token; else PSP_ADMIN_TOKEN, else the session of the last login, else DIR/admin.token.",
                "运维令牌，否则 PSP_ADMIN_TOKEN，否则 pspctl login 的会话，否则 DIR/admin.token。"),
            valueName: "token"))
    var adminToken: String?

    @Option(
        help: ArgumentHelp(
            say("The server's REST listener, likewise.", "服务器的 REST 监听地址，写法相同。"),
            valueName: "url"))
    var http: Endpoint?

    @Option(
        help: ArgumentHelp(
            say(
                "Authorities that may have signed its certificate (PEM), for https://; else those of the system.",
                "可以签发其证书的机构（PEM），用于 https://；否则用系统的。"), valueName: "file"))
    var ca: String?

    @Flag(help: ArgumentHelp(say("Print JSON for scripts instead of tables for people.", "输出 JSON（供脚本使用）而不是表格。")))
    var json = false

    /// A client of the admin listener.
    func adminClient(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> ServerClient {
        let directory = DataDirectory(option: data, environment: environment)
        let session = try LoginSession.kept(environment: environment)
        let endpoint = try adminEndpoint(directory, session)
        let token =
            if let given = adminToken ?? environment["PSP_ADMIN_TOKEN"] {
                given
            } else if let session, session.endpoint == endpoint {
                try session.lastingToken(at: Instant.now.milliseconds)
            } else {
                try directory.adminToken()
            }
        return try ServerClient(
            endpoint: endpoint, credential: .operatorToken(token), admin: endpoint,
            directory: admin == nil ? directory.path : nil,
            authorities: ca)
    }

    /// The listener that is named, that of this machine's server, or the one where somebody has logged in.
    private func adminEndpoint(_ directory: DataDirectory, _ session: LoginSession?) throws(Failure) -> Endpoint {
        if let admin { return admin }
        do throws(Failure) {
            return try directory.endpoint("admin")
        } catch {
            guard case .noServer = error, data == nil, let session else { throw error }
            return session.endpoint
        }
    }

    /// A client of the admin listener for who is about to log in.
    func anonymousClient(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Failure) -> ServerClient {
        let directory = DataDirectory(option: data, environment: environment)
        let endpoint = try adminEndpoint(directory, try LoginSession.kept(environment: environment))
        return try ServerClient(
            endpoint: endpoint, credential: .none, admin: endpoint, directory: admin == nil ? directory.path : nil,
            authorities: ca)
    }

    /// A client of what stands before the server, which proves nothing of itself.
    func client(of endpoint: Endpoint) throws(Failure) -> ServerClient {
        try ServerClient(
            endpoint: endpoint, credential: .app(key: "", masterSecret: ""), admin: nil, directory: nil, authorities: ca)
    }

    /// A client of the REST listener that calls as an app.
    func appClient(
        key: String, masterSecret: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Failure) -> ServerClient {
        let directory = DataDirectory(option: data, environment: environment)
        let endpoint = if let http { http } else { try directory.endpoint("http", orSecure: "https") }
        // A server that is named by its address need not be the one of the data directory.
        let ownAdmin = http == nil ? try? directory.endpoint("admin") : nil
        return try ServerClient(
            endpoint: endpoint, credential: .app(key: key, masterSecret: masterSecret), admin: admin ?? ownAdmin,
            directory: http == nil ? directory.path : nil, authorities: ca)
    }
}

extension Endpoint: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
