import ArgumentParser
import Foundation
import JSON

/// `pspctl audit`
struct AuditCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "audit", abstract: say("Show what operators did, and who was refused.", "查看运维人员做了什么，以及谁被拒绝。"),
            discussion: say(
                """
                Newest first; with --follow the oldest first, and what comes then. --refusals counts callers and operators who \
                were refused, by minute, claimed name, address and error code.
                """,
                """
                新的在前；加 --follow 时旧的在前，并继续显示新的。--refusals 按分钟、自称的名字、地址和错误码列出被拒绝的调用方和运维请求。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl audit", "pspctl audit --target phone-1 --all",
                    "pspctl audit --operator ann --action device.put --from 2026-11-24T00:00:00+08:00",
                    "pspctl audit --follow --json",
                    "pspctl audit --refusals --code 2005"))
    }

    @Option(help: ArgumentHelp(say("Only what this operator did.", "只列出该运维人员做的。"), valueName: "name"))
    var `operator`: String?

    @Option(
        help: ArgumentHelp(
            say(
                "Only what was done so: installation (the admin token), operator, server.",
                "只列出以此身份做的：installation（管理令牌）、operator、server。"),
            valueName: "kind"))
    var caller: String?

    @Option(help: ArgumentHelp(say("Only what came from there.", "只列出来自该地址的。"), valueName: "ip"))
    var address: String?

    @Option(help: ArgumentHelp(say("Only what was asked of this node.", "只列出向该节点发出的。"), valueName: "node"))
    var node: String?

    @Option(help: ArgumentHelp(say("Only this, such as device.put.", "只列出该操作，例如 device.put。"), valueName: "action"))
    var action: String?

    @Option(help: ArgumentHelp(say("Only what was done to what has this name.", "只列出对该名字的对象做的。"), valueName: "name"))
    var target: String?

    @Option(help: ArgumentHelp(say("Only what concerns this task.", "只列出与该任务有关的。"), valueName: "id"))
    var task: String?

    @Option(help: ArgumentHelp(say("Only with this result: 0, or an error code.", "只列出该结果：0 或错误码。"), valueName: "n"))
    var code: Int?

    @OptionGroup
    var period: PeriodOptions

    @Flag(help: ArgumentHelp(say("Count who was refused instead.", "改为列出被拒绝的次数。")))
    var refusals = false

    @Option(help: ArgumentHelp(say("Of --refusals, only who claimed to be that.", "用于 --refusals：只列出自称该名字的。"), valueName: "name"))
    var name: String?

    @Flag(help: ArgumentHelp(say("Go on with what comes, until interrupted.", "持续显示新的记录，直到中断。")))
    var follow = false

    @OptionGroup(title: say("Page", "分页"))
    var page: PageOptions

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        let isOfEntries = follow || [`operator`, caller, node, action, target, task].contains { $0 != nil }
        guard !refusals || !isOfEntries else {
            throw ValidationError(
                say(
                    "--refusals takes --name, --address, --code, --from and --to.",
                    "--refusals 只能与 --name、--address、--code、--from、--to 一起使用。"))
        }
        guard refusals || name == nil else {
            throw ValidationError(say("--name needs --refusals.", "--name 须与 --refusals 一起使用。"))
        }
        guard !follow || period.to == nil else {
            throw ValidationError(say("--follow and --to exclude each other.", "--follow 与 --to 不能同时使用。"))
        }
    }

    /// A time in the zone of this machine, which stands once above its column.
    private static func time(_ heading: String, _ name: String) -> Column {
        Column(say("\(heading) (\(Column.zone))", "\(heading)（\(Column.zone)）")) { item in
            item[name]?.int64.map(Column.timeOfDay) ?? "-"
        }
    }

    static var columns: [Column] {
        [
            time(say("TIME", "时间"), "time"), Column(say("WHO", "谁"), text: who), Column(say("FROM", "来自"), "address"),
            Column(say("NODE", "节点"), "node", isOptional: true), Column(say("ACTION", "操作"), "action"),
            Column(say("TARGET", "对象"), text: target), Column(say("TASK", "任务"), "task_id"),
            Column(say("DETAILS", "内容"), text: details),
            Column(say("RESULT", "结果"), "code", isNumber: true), Column(say("REQUEST", "请求"), "request_id"),
        ]
    }

    static var refusalColumns: [Column] {
        [
            time(say("MINUTE", "分钟"), "minute"), Column(say("LISTENER", "监听"), "listener"),
            Column(say("CLAIMED NAME", "自称"), "name"), Column(say("FROM", "来自"), "address"),
            Column(say("CODE", "错误码")) { item in
                item["code"] == nil ? say("others", "其他") : Column.show(item["code"], named: "code")
            },
            Column(say("TIMES", "次数"), "count", isNumber: true),
        ]
    }

    @Sendable private static func who(of entry: JSONValue) -> String {
        if let name = entry["operator"]?.string { return Output.printable(name) }
        return entry["caller"]?.string == "server" ? say("(server)", "（服务器）") : say("(admin token)", "（管理令牌）")
    }

    @Sendable private static func target(of entry: JSONValue) -> String {
        guard let name = entry["target"]?.string else { return "-" }
        return "\(Column.show(entry["target_type"], named: "")) \(Output.printable(name))"
    }

    /// Field by field; a secret by its name only.
    @Sendable private static func details(of entry: JSONValue) -> String {
        guard let details = entry["details"]?.elements else { return "-" }
        return details.map { detail in
            let field = Column.show(detail["field"], named: "")
            let (former, present) = (
                detail["from"].map { Column.show($0, named: "") }, detail["to"].map { Column.show($0, named: "") }
            )
            switch (former, present) {
            case (nil, nil): return say("\(field) set", "\(field) 已设置")
            case (nil, let present?): return "\(field): \(present)"
            case (let former?, let present): return "\(field): \(former) → \(present ?? "-")"
            }
        }.joined(separator: ", ")
    }

    static let path = ["psp", "admin", "audit"]

    var query: [(name: String, value: String?)] {
        let shared = [("address", address), ("code", code.map(String.init))] + period.query
        guard !refusals else { return [("name", name)] + shared }
        return [
            ("operator", `operator`), ("caller", caller), ("node", node), ("action", action), ("target", target), ("task", task),
        ]
            + shared
    }

    func run() async throws {
        let client = try server.adminClient()
        let listing = Listing(client: client, path: AuditCommand.path + (refusals ? ["refusals"] : []), query: query)
        guard follow else {
            try await listing.print(refusals ? AuditCommand.refusalColumns : AuditCommand.columns, page: page, json: server.json)
            return
        }
        var columns: [Column] = []
        var last: Int64 = 0
        var wanted: Int? = page.wanted ?? Listing.largestPage
        while true {
            let new = try await AuditCommand.entries(listing, after: last, wanted: wanted)
            if columns.isEmpty, !server.json, !new.isEmpty {
                columns = try AuditCommand.columns(of: new)
                print(columns.map(\.heading).joined(separator: "  "))
            }
            for entry in new {
                print(server.json ? String(decoding: entry, as: UTF8.self) : try AuditCommand.line(entry, columns))
            }
            // Whoever reads by a pipe sees each as it comes; where nobody reads any more, it ends.
            if fflush(nil) != 0 { return }
            if let newest = new.last { last = try JSONDocument(parsing: newest).root["id"]?.int64 ?? last }
            wanted = nil
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Entries after a number, the oldest first.
    private static func entries(_ listing: Listing, after last: Int64, wanted: Int?) async throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var size = wanted ?? 10
        // From the newest back to the last one that is known; the more came, the further.
        while true {
            found = []
            var isReached = false
            let hasMore = try await listing.read(wanted: size) { entry in
                if entry["id"]?.int64 ?? 0 > last { found.append(entry.minified()) } else { isReached = true }
            }
            if wanted != nil || isReached || !hasMore { return found.reversed() }
            size *= 10
        }
    }

    /// The columns of a list that goes on: whether nodes share the store shows in its first entries.
    private static func columns(of entries: [[UInt8]]) throws -> [Column] {
        let hasNodes = try entries.contains { try JSONDocument(parsing: $0).root["node"] != nil }
        return columns.filter { hasNodes || !$0.isOptional }
    }

    /// An entry as people read it.
    static func line(_ entry: [UInt8], _ columns: [Column]) throws -> String {
        let entry = try JSONDocument(parsing: entry).root
        return columns.map { $0.text(entry) }.joined(separator: "  ")
    }
}
