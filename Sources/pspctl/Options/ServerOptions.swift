import ArgumentParser
import Foundation

/// Which server, and how to answer: every command has these.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            say(
                "The data directory of a server on this machine; else PSP_DATA or PSP_STORE, else ./data.",
                "本机服务器的数据目录，否则 PSP_DATA 或 PSP_STORE，否则 ./data。"
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
                "管理令牌，否则 PSP_ADMIN_TOKEN，否则 pspctl login 的会话，否则 DIR/admin.token。"),
            valueName: "token"))
    var adminToken: String?

    @Option(
        help: ArgumentHelp(
            say(
                "A file whose first line is that token, as pspd takes it; else PSP_ADMIN_TOKEN_FILE.",
                "首行为该令牌的文件，与 pspd 的同名设置相同，否则 PSP_ADMIN_TOKEN_FILE。"),
            valueName: "file"))
    var adminTokenFile: String?

    @Option(
        help: ArgumentHelp(
            say("The server's REST listener, likewise.", "服务器的 REST 监听地址，写法相同。"),
            valueName: "url"))
    var http: Endpoint?

    @Option(
        help: ArgumentHelp(
            say(
                "Authorities that may have signed its certificate (PEM), for https://; else PSP_CA, else the system's.",
                "可以签发其证书的机构（PEM），用于 https://；否则用 PSP_CA，否则用系统的。"), valueName: "file"))
    var ca: String?

    @Flag(help: ArgumentHelp(say("Print JSON for scripts instead of tables for people.", "输出 JSON（供脚本使用）而不是表格。")))
    var json = false

    /// A client of the admin listener.
    func adminClient(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> ServerClient {
        let access = try AdminAccess(self, environment: environment, now: Instant.now.milliseconds)
        let directory = DataDirectory(option: data, environment: environment)
        let isOwn = admin == nil && (try? directory.endpoint("admin")) == access.endpoint
        return try ServerClient(
            endpoint: access.endpoint, credential: access.credential, admin: access.endpoint,
            directory: isOwn ? directory.path : nil, authorities: authorities(for: access.endpoint, environment))
    }

    /// A client of the admin listener for who is about to log in.
    func anonymousClient(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Failure) -> ServerClient {
        let directory = DataDirectory(option: data, environment: environment)
        let endpoint = try AdminAccess.endpoint(self, directory, try LoginSession.kept(environment: environment))
        return try ServerClient(
            endpoint: endpoint, credential: .none, admin: endpoint, directory: admin == nil ? directory.path : nil,
            authorities: authorities(for: endpoint, environment))
    }

    /// The file of those that may have signed the certificate of a server: `--ca`, else `PSP_CA`, else the one of the last
    /// log-in at that host; `nil`: those of the system.
    func authorities(for endpoint: Endpoint, _ environment: [String: String]) -> String? {
        if let named = ca ?? environment["PSP_CA"] { return named }
        guard let session = try? LoginSession.kept(environment: environment), session.endpoint.host == endpoint.host else {
            return nil
        }
        return session.authorities
    }

    /// A client of what stands before the server, which proves nothing of itself.
    func client(of endpoint: Endpoint) throws(Failure) -> ServerClient {
        try ServerClient(
            endpoint: endpoint, credential: .app(key: "", masterSecret: ""), admin: nil, directory: nil,
            authorities: authorities(for: endpoint, ProcessInfo.processInfo.environment))
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
            directory: http == nil ? directory.path : nil, authorities: authorities(for: endpoint, environment))
    }
}

extension Endpoint: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
