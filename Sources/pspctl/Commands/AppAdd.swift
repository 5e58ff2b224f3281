import ArgumentParser
import JSON
import Push

/// `pspctl app add`
struct AppAdd: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "add", abstract: say("Register an app, or change one.", "登记应用，或修改应用。"),
            discussion: say(
                """
                A new app needs --name and --interface; its master secret is made and printed unless it is given. Of one that \
                exists, what is left out stays as it is.
                """,
                """
                新应用需要 --name 和 --interface；未给出应用密钥时自动生成并打印。已存在的应用，没有给出的保持不变。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl app add demo --name Demo --interface msg --interface config",
                    "pspctl app add demo --scope police",
                    "pspctl app add demo --hmac-only --address 10.0.0.0/8 --address 2001:db8::1",
                    "pspctl app add demo --disabled"))
    }

    @Argument(help: ArgumentHelp(AppResource.meaning, valueName: AppResource.identifier))
    var appkey: String

    @Option(help: ArgumentHelp(say("What people call it.", "名称。"), valueName: "text"))
    var name: String?

    @Option(
        name: .customLong("interface"),
        help: ArgumentHelp(say("What it may use; may be repeated.", "可以使用的接口，可重复。"), valueName: "name"))
    var interfaces: [Interface] = []

    @Option(help: ArgumentHelp(say("Its master secret.", "应用密钥（master secret）。"), valueName: "secret"))
    var masterSecret: String?

    @Option(help: ArgumentHelp(say("The organisation below which it may push.", "可推送的范围：该组织机构及其下级。"), valueName: "org"))
    var scope: String?

    @Flag(help: ArgumentHelp(say("Let it push to everyone.", "取消范围限制。")))
    var noScope = false

    @Flag(name: .customLong("disabled"), help: ArgumentHelp(say("Refuse its calls from now on.", "停用：拒绝其调用。")))
    var isDisabled = false

    @Flag(name: .customLong("enabled"), help: ArgumentHelp(say("Take its calls again.", "重新启用。")))
    var isEnabled = false

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            say("Take only requests that are signed as a whole, and no validation tokens.", "只接受整个请求的签名，不接受 validation-token。")))
    var hmacOnly: Bool?

    @Option(
        name: .customLong("address"),
        help: ArgumentHelp(
            say("From where it may call: an address or a range; may be repeated.", "允许调用的来源：IP 地址或网段，可重复。"), valueName: "cidr"))
    var addresses: [String] = []

    @Flag(help: ArgumentHelp(say("Let it call from everywhere.", "取消来源限制。")))
    var anyAddress = false

    @Option(
        help: ArgumentHelp(say("Pushes a second that it may make; 0: as is usual.", "每秒最多推送的条数；0 为采用默认值。"), valueName: "n"),
        transform: WholeNumber.within(0...1_000_000_000))
    var rate: Int?

    @Option(
        help: ArgumentHelp(
            say("Pushes a day (UTC) that it may make; 0: as is usual.", "每天（UTC）最多推送的条数；0 为采用默认值。"), valueName: "n"),
        transform: WholeNumber.within(0...1_000_000_000))
    var daily: Int?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard scope == nil || !noScope else {
            throw ValidationError(say("--scope and --no-scope exclude each other.", "--scope 与 --no-scope 不能同时使用。"))
        }
        guard addresses.isEmpty || !anyAddress else {
            throw ValidationError(say("--address and --any-address exclude each other.", "--address 与 --any-address 不能同时使用。"))
        }
        guard !isDisabled || !isEnabled else {
            throw ValidationError(say("--enabled and --disabled exclude each other.", "--enabled 与 --disabled 不能同时使用。"))
        }
    }

    var call: Call {
        var json = JSONWriter()
        json.object { json in
            json.member("name", ifPresent: name)
            if !interfaces.isEmpty {
                json.key("interfaces")
                json.array { json in for interface in interfaces { json.value(interface.rawValue) } }
            }
            json.member("master_secret", ifPresent: masterSecret)
            json.member("org_id", orNullIf: noScope, scope)
            if isDisabled || isEnabled { json.member("disabled", isDisabled) }
            for (name, count) in [("pushes_per_second", rate), ("pushes_per_day", daily)] {
                guard let count else { continue }
                json.key(name)
                if count == 0 { json.null() } else { json.value(count) }
            }
            if let hmacOnly { json.member("hmac_only", hmacOnly) }
            if anyAddress { json.key("addresses"); json.null() }
            if !addresses.isEmpty {
                json.key("addresses")
                json.array { json in for address in addresses { json.value(address) } }
            }
        }
        return Call(
            .put, AppResource.path(appkey), body: json.bytes, flags: ["appkey": "<appkey>", "org_id": "--scope"])
    }

    func run() async throws {
        let reply = try await server.adminClient().send(call)
        WeakSecret.warn(masterSecret, of: appkey)
        if server.json { return Output.json(reply.data.minified()) }
        print(reply.told(AppResource.noun, appkey))
        if let secret = reply.data["master_secret"]?.string {
            print(say("master secret: \(Output.printable(secret))", "应用密钥：\(Output.printable(secret))"))
        }
    }
}
