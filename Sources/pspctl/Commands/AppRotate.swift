import ArgumentParser
import JSON

/// `pspctl app rotate`
struct AppRotate: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rotate", abstract: say("Give an app another master secret, without a break.", "更换应用密钥，业务不中断。"),
            discussion: say(
                """
                The new secret is printed once. The former one is taken as well until --finish: give the new one to all callers, \
                look with 'pspctl app show' when each was used last, then finish.
                """,
                """
                新密钥只显示一次。在执行 --finish 之前，原密钥仍然有效：先把新密钥交给所有调用方，用 pspctl app show 查看两个密钥最近一次使用的日期，\
                确认后再结束更换。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl app rotate demo", "pspctl app show demo", "pspctl app rotate demo --finish"))
    }

    @Argument(help: ArgumentHelp(AppResource.meaning, valueName: AppResource.identifier))
    var appkey: String

    @Option(help: ArgumentHelp(say("The new secret, instead of one that is made.", "新密钥；不给出则自动生成。"), valueName: "secret"))
    var masterSecret: String?

    @Flag(
        name: .customLong("again"),
        help: ArgumentHelp(
            say("The last new secret reached nobody: make another, and leave the former one.", "上一次的新密钥没有送达任何人：重新生成，原密钥不变。")))
    var isAgain = false

    @Flag(name: .customLong("finish"), help: ArgumentHelp(say("Take the former secret no more.", "结束更换：原密钥作废。")))
    var isFinish = false

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        guard !isFinish || (masterSecret == nil && !isAgain) else {
            throw ValidationError(
                say("--finish stands alone: without --master-secret and --again.", "--finish 不能与 --master-secret 或 --again 同时使用。")
            )
        }
    }

    var call: Call {
        let flags = ["appkey": "<appkey>", "former_secret": "--again, --finish", "again": "--again"]
        if isFinish { return Call(.delete, AppResource.path(appkey) + ["former-secret"], flags: flags) }
        var json = JSONWriter()
        json.object { json in
            json.member("master_secret", ifPresent: masterSecret)
            if isAgain { json.member("again", true) }
        }
        return Call(.post, AppResource.path(appkey) + ["rotate"], body: json.bytes, flags: flags)
    }

    func run() async throws {
        let client = try server.adminClient()
        // The call that drops it is answered alike where there is none.
        let hadFormer = isFinish ? try await client.send(Call(.get, AppResource.path(appkey))).data["former_secret"]?.bool : nil
        let data = try await client.send(call).data
        WeakSecret.warn(masterSecret, of: appkey)
        if server.json { return Output.json(data.minified()) }
        if isFinish {
            guard hadFormer == true else {
                return print(say("\(appkey) has one secret only: nothing was to be finished", "应用 \(appkey) 只有一个密钥，没有需要结束的更换"))
            }
            return print(say("the former secret of \(appkey) is taken no more", "应用 \(appkey) 的原密钥已作废"))
        }
        print(
            say(
                "\(appkey) has another master secret; the former one is taken until: pspctl app rotate \(appkey) --finish",
                "应用 \(appkey) 的密钥已更换；原密钥在执行 pspctl app rotate \(appkey) --finish 之前仍然有效"))
        if let secret = data["master_secret"]?.string {
            print(say("master secret: \(Output.printable(secret))", "应用密钥：\(Output.printable(secret))"))
        }
    }
}
