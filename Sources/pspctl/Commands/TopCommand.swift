import ArgumentParser
import Foundation
import JSON

/// `pspctl top`
struct TopCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "top",
            abstract: say("Show live what the server does each second.", "实时显示服务器每秒做了什么。"),
            discussion: HelpText.examples("pspctl top", "pspctl top --interval 5", "pspctl top --count 10"))
    }

    @Option(
        help: ArgumentHelp(say("Seconds between two lines.", "两行之间的秒数。"), valueName: "seconds"),
        transform: WholeNumber.within(1...3_600))
    var interval = 1

    @Option(help: ArgumentHelp(say("End after so many lines.", "显示多少行后结束。"), valueName: "n"), transform: WholeNumber.atLeast(1))
    var count: Int?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    /// What is shown a second, by the member of the status that counts it.
    private static let counted = [
        ("pushes", "total", say("PUSHES", "推送")), ("pushes", "refused", say("REFUSED", "拒绝")),
        ("deliveries", "total", say("SENT", "下发")), ("acknowledgements", "total", say("ACKED", "确认")),
        ("connects", "accepted", say("CONNECTS", "连接")), ("connects", "refused", say("REJECTED", "拒连")),
    ]
    /// What is shown as it is.
    private static let shown = [
        ("connections", "devices", say("DEVICES", "设备")), ("connections", "callers", say("CALLERS", "调用方")),
        ("backlog", "unacknowledged", say("UNACKED", "未确认")), ("backlog", "windows_full", say("FULL", "窗口满")),
        ("backlog", "awaiting_store", say("QUEUED", "排队")), ("backlog", "longest_wait", say("WAIT ms", "等待 ms")),
    ]

    func run() async throws {
        let client = try server.adminClient()
        var before = try await client.send(StatusCommand.call).data
        var lines = 0
        while count.map({ lines < $0 }) ?? true {
            try await Task.sleep(for: .seconds(interval))
            let now = try await client.send(StatusCommand.call).data
            if lines % 20 == 0, !server.json { print(TopCommand.heading) }
            print(server.json ? String(decoding: now.minified(), as: UTF8.self) : TopCommand.line(from: before, to: now))
            // Whoever reads by a pipe sees each as it comes.
            fflush(nil)
            before = now
            lines += 1
        }
    }

    private static let width = 9

    private static var heading: String {
        padded([say("STATE", "状态")] + counted.map(\.2) + shown.map(\.2))
    }

    /// What was counted between two statuses, a second, and what the later one holds.
    static func line(from before: JSONValue, to now: JSONValue) -> String {
        let milliseconds = (now["uptime"]?.int64 ?? 0) - (before["uptime"]?.int64 ?? 0)
        let rates = counted.map { group, member, _ -> String in
            let more = (now[group]?[member]?.int64 ?? 0) - (before[group]?[member]?.int64 ?? 0)
            // After a restart it counts anew.
            return milliseconds > 0 && more >= 0 ? "\(more * 1_000 / milliseconds)" : "-"
        }
        let numbers = shown.map { group, member, _ in "\(now[group]?[member]?.int64 ?? 0)" }
        return padded([ValueWords.short(Output.printable(now["state"]?.string ?? "-"), named: "state")] + rates + numbers)
    }

    private static func padded(_ columns: [String]) -> String {
        columns.map { String(repeating: " ", count: max(0, width - Terminal.width(of: $0))) + $0 }.joined(separator: " ")
    }
}
