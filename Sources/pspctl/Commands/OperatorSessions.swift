import ArgumentParser

/// `pspctl operator sessions`
struct OperatorSessions: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "sessions", abstract: say("List an operator's sessions.", "列出运维账号的会话。"),
            discussion: HelpText.examples("pspctl operator sessions ann"))
    }

    @Argument(help: ArgumentHelp(OperatorResource.meaning, valueName: OperatorResource.identifier))
    var name: String

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    private static var columns: [Column] {
        [
            Column(say("SESSION", "会话"), "session_id"), Column(say("LOGGED IN", "登录时间"), "created_at"),
            Column(say("UNTIL", "有效至"), "expires_at"), Column(say("ADDRESS", "来源"), "address"),
        ]
    }

    func run() async throws {
        let call = Call(.get, OperatorResource.path(name) + ["sessions"], flags: OperatorResource.flags)
        let data = try await server.adminClient().send(call).data
        if server.json { return Output.json(data["items"]?.minified() ?? []) }
        var table = Table(Self.columns)
        if let items = data["items"] { for session in items.elements { table.add(session) } }
        for line in table.lines(width: Terminal.width) { print(line) }
    }
}

/// `pspctl operator withdraw`
struct OperatorWithdraw: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "withdraw", abstract: say("End an operator's sessions.", "结束运维账号的会话。"),
            discussion: say(
                "All of them, or the one that is named. The operator may log in again.", "结束全部会话，或指定的一个。该账号可以重新登录。")
                + "\n\n" + HelpText.examples("pspctl operator withdraw ann", "pspctl operator withdraw ann SESSION_ID"))
    }

    @Argument(help: ArgumentHelp(OperatorResource.meaning, valueName: OperatorResource.identifier))
    var name: String

    @Argument(help: ArgumentHelp(say("The session.", "会话。"), valueName: "session"))
    var session: String?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let path = OperatorResource.path(name) + ["sessions"] + (session.map { [$0] } ?? [])
        let flags = ["name": "<name>", "session_id": "<session>"]
        let data = try await server.adminClient().send(Call(.delete, path, flags: flags)).data
        if server.json { return Output.json(data.minified()) }
        print(
            session.map { say("session \($0) of \(name) has ended", "\(name) 的会话 \($0) 已结束") }
                ?? say("the sessions of \(name) have ended", "\(name) 的会话已全部结束"))
    }
}
