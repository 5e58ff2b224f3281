import ArgumentParser
import JSON

/// `pspctl log-level [LEVEL]`
struct LogLevelCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "log-level",
            abstract: say("Show or change from what level on the server writes its log.", "查看或更改服务器的日志级别。"),
            discussion: say(
                "The change holds until the server ends; --log-level of pspd says what it begins with.",
                "更改在服务器停止之前有效；启动时的级别由 pspd 的 --log-level 决定。") + "\n\n"
                + HelpText.examples("pspctl log-level", "pspctl log-level debug", "pspctl log-level info"))
    }

    @Argument(
        help: ArgumentHelp(
            say(
                "trace, debug, info, notice, warning, error or critical.", "trace、debug、info、notice、warning、error 或 critical。"),
            valueName: "level"))
    var level: String?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call {
        let path = ["psp", "admin", "log-level"]
        guard let level else { return Call(.get, path) }
        var json = JSONWriter()
        json.object { $0.member("level", level) }
        return Call(.put, path, body: json.bytes, flags: ["level": "<level>"])
    }

    func run() async throws {
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data.minified()) }
        print(Column.show(data["level"], named: "level"))
    }
}
