import ArgumentParser
import JSON

/// `pspctl clock`, `pspctl clock accept`
struct ClockCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "clock",
            abstract: say(
                "How the server tells the time: its wall clock, and the store time by which things end.",
                "服务器的时间：系统时钟，以及决定何时过期的存储时间。"),
            discussion: HelpText.examples("pspctl clock", "pspctl clock accept"),
            subcommands: [ClockShow.self, ClockAccept.self], defaultSubcommand: ClockShow.self)
    }
}

struct ClockShow: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show",
            abstract: say(
                "Show both, and what store time waits for when the wall clock is ahead.", "显示两者，以及系统时钟超前时存储时间在等待什么。"),
            discussion: HelpText.examples("pspctl clock"))
    }

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static let path = ["psp", "admin", "clock"]

    func run() async throws {
        let data = try await server.adminClient().send(Call(.get, Self.path)).data
        if server.json { return Output.json(data.minified()) }
        for line in ClockLines.lines(of: data) { print(line) }
    }
}

struct ClockAccept: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "accept",
            abstract: say(
                "Say that the wall clock is right: store time goes forward to it.", "确认系统时钟正确：存储时间前进到该时间。"),
            discussion: say("Asks before it does; scripts say --yes.", "执行前会询问；脚本中使用 --yes。") + "\n\n"
                + say(
                    """
                    What was accepted before the clock was set ahead is then older by as much, and may have expired. Where the \
                    wall clock is not ahead of store time this changes nothing. Look at the clock first: store time cannot go \
                    back.
                    """,
                    """
                    时钟调快之前接受的推送因此变旧同样长的时间，可能已经过期。系统时钟不超前于存储时间时没有变化。请先核对系统时钟：存储时间不能后退。
                    """) + "\n\n" + HelpText.examples("pspctl clock accept", "pspctl clock accept --yes"))
    }

    @OptionGroup
    var confirmation: ConfirmationOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    var call: Call { Call(.post, ClockShow.path + ["accept"]) }

    func run() async throws {
        let client = try server.adminClient()
        // Store time does not go back.
        try confirmation.ask(
            say(
                "Is the server's wall clock right? Store time goes forward to it for good. [y/N] ",
                "服务器的系统时钟是否正确？存储时间将前进到该时间，不能退回。[y/N] "),
            unanswerable: say(
                "Nobody can be asked, since standard input is no terminal: give --yes.", "标准输入不是终端，无法询问：请加 --yes。"))
        let data = try await client.send(call).data
        if server.json { return Output.json(data.minified()) }
        for line in ClockLines.lines(of: data) { print(line) }
    }
}

/// What the server says of its clocks, in words.
enum ClockLines {
    static func lines(of state: JSONValue) -> [String] {
        let offset = state["offset"]?.int64 ?? 0
        let (wallClock, storeTime) = (time(state["wall_clock"]), time(state["store_time"]))
        let isSynchronised = Column.show(state["synchronised"], named: "synchronised")
        let steps = state["steps"]?.int64 ?? 0
        var lines = [
            say("wall clock    \(wallClock)", "系统时钟  \(wallClock)"),
            say("store time    \(storeTime)\(difference(offset))", "存储时间  \(storeTime)\(difference(offset))"),
            say("synchronised  \(isSynchronised)", "已同步    \(isSynchronised)"),
            say("steps         \(steps) since the start", "跳变次数  启动以来 \(steps) 次"),
        ]
        if let ahead = state["ahead"] {
            let since = time(ahead["since"])
            lines += ["", say("The wall clock is ahead since \(since); \(wait(ahead)).", "系统时钟自 \(since) 起超前；\(wait(ahead))。")]
        }
        return lines
    }

    private static func difference(_ offset: Int64) -> String {
        guard offset != 0 else { return "" }
        let by = duration(offset.magnitude)
        return offset < 0
            ? say("  (\(by) ahead of the wall clock)", "  （比系统时钟快 \(by)）")
            : say("  (\(by) behind the wall clock)", "  （比系统时钟慢 \(by)）")
    }

    private static func wait(_ ahead: JSONValue) -> String {
        if ahead["waits_for"]?.string == "synchronisation" {
            return say(
                "store time waits until the system says that its clock is synchronised, or for `pspctl clock accept`",
                "存储时间等待系统确认时钟已同步，或等待 `pspctl clock accept`")
        }
        let follows = time(ahead["follows_at"])
        return say("store time follows at \(follows) unless it is set again", "如不再调整，存储时间将于 \(follows) 跟上")
    }

    private static func time(_ value: JSONValue?) -> String { value?.int64.map(Column.localTime) ?? "-" }

    /// Two units at most.
    static func duration(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1_000
        let parts = [
            (seconds / 86_400, say("d", "天")), (seconds / 3_600 % 24, say("h", "小时")), (seconds / 60 % 60, say("min", "分钟")),
            (seconds % 60, say("s", "秒")),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return say("\(milliseconds) ms", "\(milliseconds) 毫秒") }
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
