import ArgumentParser
import JSON
import Push

/// `pspctl device add`
struct DeviceAdd: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "add", abstract: say("Register a device, or change one.", "登记设备，或修改设备。"),
            discussion: say(
                """
                A new device needs --platform and --org; its secret is made and printed unless it is given. Of one \
                that exists, what is left out stays as it is; its platform never changes. Another --user is a change \
                of holder: what is pending for the device is withdrawn.
                """,
                """
                新设备需要 --platform 和 --org；未给出密钥时自动生成并打印。已存在的设备，没有给出的保持不变；平台不能修改。\
                换一个 --user 即更换使用人：该设备待送达的推送被撤回。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl device add phone-1 --platform android --org police --user officer-7",
                    "pspctl device add phone-1 --org traffic",
                    "pspctl device add phone-1 --test"))
    }

    @Argument(help: ArgumentHelp(DeviceResource.meaning, valueName: DeviceResource.identifier))
    var token: String

    @Option(help: ArgumentHelp(say("What it runs; it never changes.", "平台，不能修改。"), valueName: "name"))
    var platform: Platform?

    @Option(help: ArgumentHelp(say("The organisation that it belongs to.", "所属组织机构。"), valueName: "org"))
    var org: String?

    @Option(help: ArgumentHelp(say("Who holds it.", "使用人。"), valueName: "user"))
    var user: String?

    @Flag(help: ArgumentHelp(say("Nobody holds it any more.", "不再有使用人。")))
    var noUser = false

    @Flag(inversion: .prefixedNo, help: ArgumentHelp(say("Whether it receives what is pushed in test mode.", "是否为测试设备。")))
    var test: Bool?

    @Option(help: ArgumentHelp(say("Its secret, which is its MQTT password.", "设备密钥，即其 MQTT 密码。"), valueName: "secret"))
    var secret: String?

    @Option(
        help: ArgumentHelp(
            say(
                "The SHA-256 of its certificate, which then stands for the secret.", "其证书的 SHA-256；设置后证书可以代替密钥。"),
            valueName: "digits"))
    var certificateSha256: String?

    @Flag(help: ArgumentHelp(say("No certificate stands for the secret any more.", "不再有证书代替密钥。")))
    var noCertificate = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard user == nil || !noUser else {
            throw ValidationError(say("--user and --no-user exclude each other.", "--user 与 --no-user 不能同时使用。"))
        }
        guard certificateSha256 == nil || !noCertificate else {
            throw ValidationError(
                say(
                    "--certificate-sha256 and --no-certificate exclude each other.",
                    "--certificate-sha256 与 --no-certificate 不能同时使用。"))
        }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("platform", ifPresent: platform?.rawValue)
            json.member("org_id", ifPresent: org)
            json.member("user_id", orNullIf: noUser, user)
            if let test { json.member("test", test) }
            json.member("secret", ifPresent: secret)
            json.member("certificate_sha256", orNullIf: noCertificate, certificateSha256)
        }
        return Call(.put, DeviceResource.path(token), body: json.bytes, flags: DeviceResource.flags)
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        WeakSecret.warn(secret, of: token)
        if server.json { return Output.json(reply.data.minified()) }
        print(reply.told(DeviceResource.noun, token))
        if let secret = reply.data["secret"]?.string {
            print(say("secret: \(Output.printable(secret))", "密钥：\(Output.printable(secret))"))
        }
    }
}
