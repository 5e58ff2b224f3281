import ArgumentParser
import Foundation
import JSON

/// `pspctl login`
struct LoginCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "login", abstract: say("Log in as an operator.", "以运维账号登录。"),
            discussion: say(
                """
                Keeps the session for the commands after it, in a file that its owner alone reads: PSPCTL_SESSION, else \
                ~/.config/pspctl/session.json. Until pspctl logout they call its server, with its rights: \
                DIR/admin.token is not used. --admin-token and PSP_ADMIN_TOKEN go before it. --ca is kept with it.
                """,
                """
                会话保存在只有本人可读的文件中，供之后的命令使用：PSPCTL_SESSION，否则 ~/.config/pspctl/session.json。\
                在 pspctl logout 之前，命令都访问该服务器，以该账号的权限执行，不使用 DIR/admin.token。\
                --admin-token 和 PSP_ADMIN_TOKEN 优先于它。--ca 随会话保存。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl login ann", "pspctl login ann --admin 10.0.0.5:8081 --password-file password.txt"))
    }

    @Argument(help: ArgumentHelp(OperatorResource.meaning, valueName: OperatorResource.identifier))
    var name: String

    @Option(
        help: ArgumentHelp(
            say("The file whose first line is the password; - is standard input.", "首行为密码的文件；- 为标准输入。"), valueName: "file"))
    var passwordFile: String?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static func call(_ name: String, _ password: String) -> Call {
        var json = JSONWriter()
        json.object { json in
            json.member("name", name)
            json.member("password", password)
        }
        return Call(
            .post, ["psp", "admin", "sessions"], body: json.bytes, flags: ["name": "<name>", "password": "--password-file"])
    }

    func run() async throws {
        let client = try server.anonymousClient()
        let password = try PasswordPrompt.password(
            from: passwordFile, say("Password of \(name) at \(client.endpoint): ", "\(name) 在 \(client.endpoint) 的密码："))
        let data = try await client.send(Self.call(name, password)).data
        guard let token = data["token"]?.string, let expiresAt = data["expires_at"]?.int64 else {
            throw Failure.foreignReply(endpoint: client.endpoint, status: 201)
        }
        let environment = ProcessInfo.processInfo.environment
        let authorities = server.authorities(for: client.endpoint, environment).map { URL(fileURLWithPath: $0).path }
        let session = LoginSession(
            endpoint: client.endpoint, name: name, token: token, expiresAt: expiresAt, authorities: authorities)
        try session.keep(environment: environment)
        let role = Output.printable(data["role"]?.string ?? "")
        if server.json {
            var json = JSONWriter()
            json.object { json in
                json.member("name", name)
                json.member("role", role)
                json.member("org_id", ifPresent: data["org_id"]?.string)
                json.member("expires_at", expiresAt)
            }
            return Output.json(json.bytes)
        }
        let until = Column.localTime(expiresAt)
        print(say("logged in as \(name) (\(role)) until \(until)", "已登录：\(name)（\(role)），有效至 \(until)"))
    }
}

/// `pspctl logout`
struct LogoutCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "logout", abstract: say("End the session of the last log-in.", "结束登录的会话。"),
            discussion: HelpText.examples("pspctl logout"))
    }

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let session = try LoginSession.kept(environment: environment) else {
            return print(say("nobody is logged in", "没有登录"))
        }
        do throws(Failure) {
            let client = try ServerClient(
                endpoint: session.endpoint, credential: .operatorToken(session.token), admin: session.endpoint, directory: nil,
                authorities: server.authorities(for: session.endpoint, environment))
            _ = try await client.send(Call(.delete, ["psp", "admin", "session"]))
        } catch {
            if case .refused(let status, _, _, _) = error {
                // One that has ended already is 401.
                guard status == 401 else { throw error }
            } else {
                // Commands would stay bound to a server that is gone.
                let end = Column.localTime(session.expiresAt)
                Output.error(
                    say(
                        "pspctl: \(error); the session is forgotten here, and lasts there until \(end)",
                        "pspctl: \(error)；本机已忘记该会话，在服务器上它的有效期到 \(end)"))
            }
        }
        try LoginSession.forget(environment: environment)
        print(say("logged out \(session.name)", "已退出：\(session.name)"))
        print(
            say(
                "from now on commands use the installation's token, DIR/admin.token, where it can be read",
                "此后的命令使用管理令牌 DIR/admin.token（如可读取）"))
    }
}

/// `pspctl whoami`
struct WhoAmICommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "whoami", abstract: say("Show on whose behalf commands are carried out.", "查看命令以谁的身份执行。"),
            discussion: say("Without a name it is the installation's own token.", "没有 name 时，使用的是管理令牌。") + "\n\n"
                + HelpText.examples("pspctl whoami"))
    }

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let access = try AdminAccess(
            server, environment: ProcessInfo.processInfo.environment, now: Instant.now.milliseconds)
        let data = try await server.adminClient().send(Call(.get, ["psp", "admin", "session"])).data
        if server.json { return Output.json(data.minified()) }
        print(Self.told(access, name: data["name"]?.string.map(Output.printable)))
        for line in Details.lines(of: data) { print(line) }
    }

    /// Which token commands use.
    /// - Parameter name: whose it is, as the server says; `nil`: the installation's.
    static func told(_ access: AdminAccess, name: String?) -> String {
        let whose = name.map { say("session of \($0)", "\($0) 的会话") } ?? say("the installation's token", "管理令牌")
        let origin =
            switch access.token {
            case .given:
                say("given with --admin-token or PSP_ADMIN_TOKEN, or in a file", "由 --admin-token、PSP_ADMIN_TOKEN 或其文件给出")
            case .session: "pspctl login"
            case .installation(_, let file): file
            }
        return say("\(whose) at \(access.endpoint) (\(origin))", "\(whose)，服务器 \(access.endpoint)（\(origin)）")
    }
}

/// `pspctl password`
struct PasswordCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "password", abstract: say("Set your own password.", "修改自己的密码。"),
            discussion: say(
                "Asks for the old and the new one. Ends your other sessions.", "询问旧密码和新密码。同时结束自己的其他会话。") + "\n\n"
                + HelpText.examples("pspctl password", "pspctl password --old-password-file old.txt --password-file new.txt"))
    }

    @Option(
        help: ArgumentHelp(
            say("The file whose first line is the old password.", "首行为旧密码的文件。"), valueName: "file"))
    var oldPasswordFile: String?

    @Option(
        help: ArgumentHelp(
            say("The file whose first line is the new password.", "首行为新密码的文件。"), valueName: "file"))
    var passwordFile: String?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let client = try server.adminClient()
        // Nobody is asked for passwords that are refused afterwards.
        let own = try await client.send(Call(.get, ["psp", "admin", "session"])).data
        guard own["name"] != nil else { throw Failure.nobodysPassword }
        let former = try PasswordPrompt.password(from: oldPasswordFile, say("Old password: ", "旧密码："))
        let password = try PasswordPrompt.password(from: passwordFile, say("New password: ", "新密码："), isNew: true)
        var json = JSONWriter()
        json.object { json in
            json.member("old_password", former)
            json.member("password", password)
        }
        let call = Call(
            .put, ["psp", "admin", "session", "password"], body: json.bytes,
            flags: ["old_password": "--old-password-file", "password": "--password-file"])
        let data = try await client.send(call).data
        if server.json { return Output.json(data.minified()) }
        print(say("the password is changed", "密码已修改"))
    }
}
