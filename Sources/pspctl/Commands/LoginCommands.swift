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
                ~/.config/pspctl/session.json. --admin-token and PSP_ADMIN_TOKEN go before it; it goes before DIR/admin.token.
                """,
                """
                会话保存在只有本人可读的文件中，供之后的命令使用：PSPCTL_SESSION，否则 ~/.config/pspctl/session.json。\
                --admin-token 和 PSP_ADMIN_TOKEN 优先于它，它优先于 DIR/admin.token。
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
        let password = try PasswordPrompt.password(from: passwordFile, say("Password of \(name): ", "\(name) 的密码："))
        let data = try await client.send(Self.call(name, password)).data
        guard let token = data["token"]?.string, let expiresAt = data["expires_at"]?.int64 else {
            throw Failure.foreignReply(endpoint: client.endpoint, status: 201)
        }
        let session = LoginSession(endpoint: client.endpoint, name: name, token: token, expiresAt: expiresAt)
        try session.keep(environment: ProcessInfo.processInfo.environment)
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
        let client = try ServerClient(
            endpoint: session.endpoint, credential: .operatorToken(session.token), admin: session.endpoint, directory: nil,
            authorities: server.ca)
        do throws(Failure) {
            _ = try await client.send(Call(.delete, ["psp", "admin", "session"]))
        } catch {
            // One that has ended already is 401.
            guard case .refused(let status, _, _, _) = error, status == 401 else { throw error }
        }
        try LoginSession.forget(environment: environment)
        print(say("logged out \(session.name)", "已退出：\(session.name)"))
    }
}

/// `pspctl whoami`
struct WhoAmICommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "whoami", abstract: say("Show on whose behalf commands are carried out.", "查看命令以谁的身份执行。"),
            discussion: say("Without a name it is the installation's own token.", "没有 name 时，使用的是安装令牌。") + "\n\n"
                + HelpText.examples("pspctl whoami"))
    }

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let data = try await server.adminClient().send(Call(.get, ["psp", "admin", "session"])).data
        if server.json { return Output.json(data.minified()) }
        for line in Details.lines(of: data) { print(line) }
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
