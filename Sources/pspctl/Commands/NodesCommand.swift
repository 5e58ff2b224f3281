import ArgumentParser
import JSON

/// `pspctl nodes`
struct NodesCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "nodes",
            abstract: say("List the nodes that share the store.", "列出共用存储的节点。"),
            discussion: say(
                """
                Any of them tells all. serving: its lease holds; draining: it does, and the node is about to end; lapsed: it has \
                ended without leaving or is cut off, and is told for a day, or until another process has its name. How far a \
                node is behind and how many devices it has is as of its last renewal of the lease, at most 1.5 s ago. With the \
                embedded store there is one node. --json has the numbers.
                """,
                """
                任何一个节点都能列出全部。serving：租约有效；draining：租约有效，节点即将结束；lapsed：没有正常退出，或连接不到数据库，保留一天，\
                或直到另一进程使用其名称。落后的位置数和设备数取自其最近一次续租（至多 1.5 秒前）。嵌入式存储只有一个节点。--json 给出数值。
                """) + "\n\n" + HelpText.examples("pspctl nodes", "pspctl nodes --json"))
    }

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static var columns: [Column] {
        [
            Column(say("NODE", "节点")) { node in
                Column.show(node["node"], named: "node") + (node["own"]?.bool == true ? say(" (asked)", "（应答者）") : "")
            }, Column(say("STATE", "状态"), "state"), Column(say("LEASE", "租约"), text: lease),
            Column(say("BEHIND", "落后"), isNumber: true) { ofLiving($0, "lag") },
            Column(say("DEVICES", "设备"), isNumber: true) { ofLiving($0, "sessions") },
            Column(say("VERSION", "版本"), "version"), Column(say("SINCE", "加入时间"), "started_at"),
        ]
    }

    @Sendable private static func lease(of node: JSONValue) -> String {
        guard let left = node["lease"]?.int64 else { return "-" }
        if left > 0 { return say("\(left / 1_000).\(left % 1_000 / 100) s left", "剩余 \(left / 1_000).\(left % 1_000 / 100) 秒") }
        let ago = ClockLines.duration(left.magnitude)
        return say("ended \(ago) ago", "\(ago)前结束")
    }

    /// What it told at its last renewal, which is true of one that lives.
    @Sendable private static func ofLiving(_ node: JSONValue, _ name: String) -> String {
        node["state"]?.string == "lapsed" ? "-" : Column.show(node[name], named: name)
    }

    func run() async throws {
        let data = try await server.adminClient().send(Call(.get, ["psp", "admin", "nodes"])).data
        if server.json { return Output.json(data["items"]?.minified() ?? []) }
        var table = Table(Self.columns)
        if let items = data["items"] { for node in items.elements { table.add(node) } }
        for line in table.lines(width: Terminal.width) { print(line) }
    }
}
