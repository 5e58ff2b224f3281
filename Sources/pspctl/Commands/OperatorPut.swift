import ArgumentParser
import JSON
import Push

/// `pspctl operator put`
struct OperatorPut: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "put", abstract: say("Register an operator, or change one.", "登记运维账号，或修改运维账号。"),
            discussion: say(
                """
                A new operator needs --display-name, --role and a password. Of one that exists, what is left out stays as it is. \
                Another password and --disabled end the operator's sessions; a role and a scope hold for them at once.
                """,
                """
                新账号需要 --display-name、--role 和密码。已存在的账号，没有给出的保持不变。新密码和 --disabled 会结束该账号的会话；\
                角色和管辖范围对已有会话立即生效。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl operator put ann --display-name Ann --role administrator --ask-password",
                    "pspctl operator put bob --display-name Bob --role sender --scope police --password-file password.txt",
                    "pspctl operator put bob --role viewer --no-scope", "pspctl operator put bob --disabled"))
    }

    @Argument(help: ArgumentHelp(OperatorResource.meaning, valueName: OperatorResource.identifier))
    var name: String

    @Option(help: ArgumentHelp(say("What people call it.", "姓名。"), valueName: "text"))
    var displayName: String?

    @Option(
        help: ArgumentHelp(
            say(
                "viewer looks, sender also pushes, cancels tasks and disconnects devices, administrator changes everything.",
                "viewer 只能查看，sender 还可以推送、取消任务、断开设备，administrator 可以修改一切。"), valueName: "role"))
    var role: Role?

    @Option(
        help: ArgumentHelp(say("The organisation to which it is confined, with all below.", "管辖范围：该组织机构及其下级。"), valueName: "org"))
    var scope: String?

    @Flag(help: ArgumentHelp(say("Confine it to none.", "取消范围限制。")))
    var noScope = false

    @Flag(name: .customLong("disabled"), help: ArgumentHelp(say("Let it log in no more.", "停用：不允许登录。")))
    var isDisabled = false

    @Flag(name: .customLong("enabled"), help: ArgumentHelp(say("Let it log in again.", "重新启用。")))
    var isEnabled = false

    @Flag(help: ArgumentHelp(say("Ask for a password, 12 to 1,024 bytes.", "询问密码，12 至 1,024 字节。")))
    var askPassword = false

    @Option(
        help: ArgumentHelp(
            say("The file whose first line is the password; - is standard input.", "首行为密码的文件；- 为标准输入。"), valueName: "file"))
    var passwordFile: String?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard scope == nil || !noScope else {
            throw ValidationError(say("--scope and --no-scope exclude each other.", "--scope 与 --no-scope 不能同时使用。"))
        }
        guard !isDisabled || !isEnabled else {
            throw ValidationError(say("--enabled and --disabled exclude each other.", "--enabled 与 --disabled 不能同时使用。"))
        }
    }

    func call(password: String?) -> Call {
        var json = JSONWriter()
        json.object { json in
            json.member("display_name", ifPresent: displayName)
            json.member("role", ifPresent: role?.name)
            json.member("org_id", orNullIf: noScope, scope)
            if isDisabled || isEnabled { json.member("disabled", isDisabled) }
            json.member("password", ifPresent: password)
        }
        return Call(
            .put, OperatorResource.path(name), body: json.bytes,
            flags: [
                "name": "<name>", "display_name": "--display-name", "role": "--role", "org_id": "--scope",
                "password": "--ask-password, --password-file",
            ])
    }

    func run() async throws {
        let client = try server.adminClient()
        var password: String?
        if askPassword || passwordFile != nil {
            password = try PasswordPrompt.password(
                from: passwordFile, say("New password of \(name): ", "\(name) 的新密码："), isNew: true)
        }
        let reply = try await client.send(call(password: password))
        if server.json { return Output.json(reply.data.minified()) }
        print(reply.told(OperatorResource.noun, name))
    }
}
