import ArgumentParser
import Foundation
import JSON

/// `pspctl status`
struct StatusCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status",
            abstract: say(
                "Show how the server fares: connections, rates, backlog, store, disk, clock, imports.",
                "查看服务器的状况：连接、速率、积压、存储、磁盘、时钟、导入。"),
            discussion: HelpText.examples("pspctl status", "pspctl status --watch 2", "pspctl status --json"))
    }

    @Option(
        help: ArgumentHelp(
            say("Show it again every so many seconds, until interrupted.", "每隔若干秒重新显示，直到被中断。"), valueName: "seconds"),
        transform: WholeNumber.within(1...86_400))
    var watch: Int?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    static let call = Call(.get, ["psp", "admin", "status"])
    var call: Call { StatusCommand.call }

    func run() async throws {
        let client = try server.adminClient()
        while true {
            let status = try await client.send(call).data
            if watch != nil, !server.json { Terminal.clear() }
            if server.json {
                Output.json(status.minified())
            } else {
                for line in StatusLines.lines(of: status) { print(line) }
            }
            guard let watch else { return }
            // Whoever reads by a pipe sees each as it comes.
            fflush(nil)
            try await Task.sleep(for: .seconds(watch))
        }
    }
}

/// A server's status, in words and numbers for people.
enum StatusLines {
    static func lines(of status: JSONValue) -> [String] {
        var facts = Facts()
        server(status, &facts)
        backlog(status, &facts)
        store(status, &facts)
        return facts.lines + [""] + traffic(status) + [""] + loops(status)
    }

    /// Names and what is told under them, the names in a column.
    private struct Facts {
        private var rows: [(name: String, text: String)] = []

        mutating func tell(_ name: String, _ text: String) { rows.append((name, text)) }

        var lines: [String] {
            let width = rows.reduce(0) { max($0, Terminal.width(of: $1.name)) }
            return rows.map { $0.name + String(repeating: " ", count: width - Terminal.width(of: $0.name) + 2) + $0.text }
        }
    }

    private static func server(_ status: JSONValue, _ facts: inout Facts) {
        let detail = status["detail"].map { say(" (\(text($0)))", "（\(text($0))）") } ?? ""
        facts.tell(say("state", "状态"), Column.show(status["state"], named: "state") + detail)
        if let remedy = status["remedy"] { facts.tell(say("to do", "应做"), text(remedy)) }
        let uptime = ClockLines.duration(UInt64(clamping: number(status["uptime"])))
        facts.tell(
            say("server", "服务器"),
            say("pspd \(text(status["version"])), up \(uptime)", "pspd \(text(status["version"]))，已运行 \(uptime)"))
        let connections = status["connections"]
        let (devices, online) = (number(connections?["devices"]), number(connections?["online"]))
        let (callers, operators) = (number(connections?["callers"]), number(connections?["operators"]))
        facts.tell(
            say("connections", "连接"),
            say(
                "\(devices) of devices (\(online) online), \(callers) of callers, \(operators) of operators",
                "设备 \(devices)（在线 \(online)），调用方 \(callers)，运维 \(operators)"))
    }

    private static func backlog(_ status: JSONValue, _ facts: inout Facts) {
        let backlog = status["backlog"]
        let (unacknowledged, full) = (number(backlog?["unacknowledged"]), number(backlog?["windows_full"]))
        let pages = number(backlog?["awaiting_pages"])
        facts.tell(
            say("on their way", "发送中"),
            say(
                "\(unacknowledged) messages not acknowledged; \(full) devices with a full window, \(pages) wait for a page",
                "\(unacknowledged) 条消息未确认；\(full) 台设备窗口已满，\(pages) 台等待读取"))
        let acknowledgements = status["acknowledgements"]
        let (untaken, uncounted) = (number(acknowledgements?["untaken"]), number(acknowledgements?["uncounted"]))
        if untaken + uncounted > 0 {
            facts.tell(
                say("acknowledgements", "确认"),
                say(
                    "\(untaken) not taken while nothing could be written, \(uncounted) not counted for a fault of the store",
                    "无法写入期间未接受 \(untaken) 个，因存储文件有误未计入 \(uncounted) 个"))
        }
        if let flapping = status["flapping"] {
            let devices = flapping.elements.map { "\(text($0["device_token"])) (\(number($0["connects"])))" }
            facts.tell(
                say("connect again and again", "反复重连"), devices.joined(separator: say(", ", "、")))
        }
        let (calls, wait) = (number(backlog?["awaiting_store"]), number(backlog?["longest_wait"]))
        facts.tell(
            say("before the store", "等待存储"),
            calls == 0 && wait == 0
                ? say("nobody", "无") : say("\(calls) requests, the oldest since \(wait) ms", "\(calls) 个请求，最早的已等待 \(wait) ms"))
    }

    private static func store(_ status: JSONValue, _ facts: inout Facts) {
        let store = status["store"]
        let holds = (store?["longest_hold"].map { Array($0.members) } ?? []).map {
            "\(ValueWords.short(Output.printable($0.key), named: "longest_hold")) \(number($0.value)) ms"
        }
        let health =
            Column.show(store?["health"], named: "health")
            + (store?["detail"].map { say(" (\(text($0)))", "（\(text($0))）") } ?? "")
        facts.tell(
            say("store", "存储"),
            say("\(health); longest hold: ", "\(health)；最长占用：") + holds.joined(separator: say(", ", "，")))
        if let shared = status["shared"] {
            facts.tell(say("shared by nodes", "节点共用"), standing(shared))
            if let primary = shared["primary"] { facts.tell(say("primary", "主库"), text(primary)) }
            if shared["without_standby"] != nil { facts.tell(say("database's standby", "数据库备库"), withoutStandby) }
            if shared["foreign_functions"] != nil { facts.tell(say("database's functions", "数据库函数"), foreignFunctions) }
        }
        if let disk = status["disk"] {
            let (database, log) = (size(disk["database"]), size(disk["log"]))
            facts.tell(
                say("disk", "磁盘"),
                say(
                    "database \(database), log \(log), \(size(disk["free"])) free",
                    "数据库 \(database)，日志 \(log)，剩余 \(size(disk["free"]))"))
        }
        facts.tell(say("clock", "时钟"), status["clock"].map(clock) ?? untold)
        facts.tell(say("imports", "导入"), status["imports"].map(imports) ?? untold)
    }

    /// What there is to do where the database's functions are those of another build.
    static var foreignFunctions: String {
        say(
            "of another build of the same version: pspctl store migrate, by the pspctl that came with this pspd",
            "来自同一版本的另一次构建：请用与此 pspd 一起提供的 pspctl 执行 pspctl store migrate")
    }

    /// What it means where commits wait for nobody, and what there is to do.
    static var withoutStandby: String {
        say(
            "none is waited for: what is answered SUCCESS is on one machine; name standbys in synchronous_standby_names, and set "
                + "synchronous_commit off or local for no role and no database (a node's sessions keep that until it restarts)",
            "不等待任何备库：回复 SUCCESS 的内容只在一台机器上；请在 synchronous_standby_names 中列出备库，并且不要为角色或数据库把 "
                + "synchronous_commit 设为 off 或 local（节点的会话在重启之前保持原来的设置）")
    }

    private static func standing(_ shared: JSONValue) -> String {
        let (lease, lag) = (number(shared["lease"]), number(shared["lag"]))
        let (lapses, losses) = (number(shared["lapses"]), number(shared["losses"]))
        let (unknown, switches) = (number(shared["unknown_calls"]), number(shared["switches"]))
        return say(
            "lease \(lease) ms, \(lag) positions behind; lapsed \(lapses) times, database lost \(losses), in doubt \(unknown), "
                + "primary switched \(switches)",
            "租约剩余 \(lease) ms，落后 \(lag) 个位置；租约失效 \(lapses) 次，失去数据库 \(losses) 次，结果不明 \(unknown) 次，主库更换 \(switches) 次")
    }

    private static var untold: String { say("not told by the store within a second", "存储未在一秒内回答") }

    private static func clock(_ clock: JSONValue) -> String {
        let offset = number(clock["offset"])
        let by = ClockLines.duration(offset.magnitude)
        let state =
            offset == 0
            ? say("store time is the wall clock's", "存储时间与系统时钟一致")
            : offset < 0
                ? say("store time is \(by) ahead of the wall clock", "存储时间比系统时钟快 \(by)")
                : say("store time is \(by) behind the wall clock", "存储时间比系统时钟慢 \(by)")
        guard clock["ahead"] != nil else { return state }
        return state + say(", and has still to follow: pspctl clock", "，尚未跟上：pspctl clock")
    }

    private static func imports(_ imports: JSONValue) -> String {
        let running = number(imports["running"])
        guard running > 0 else { return say("none running", "没有正在进行的导入") }
        let (id, done, lines) = (text(imports["import_id"]), number(imports["done"]), number(imports["lines"]))
        return say("\(running) running; \(id): \(done) of \(lines) lines", "\(running) 个正在进行；\(id)：\(done)/\(lines) 行")
    }

    /// What came and went, in columns.
    private static func traffic(_ status: JSONValue) -> [String] {
        let names = [
            ("pushes", say("pushes", "推送")), ("deliveries", say("deliveries", "下发")),
            ("acknowledgements", say("acknowledgements", "确认")),
        ]
        let rows = names.map { name, title in
            let row = status[name]
            return [title, "\(number(row?["total"]))", text(row?["per_second_10s"]), text(row?["per_second_60s"])]
        }
        return columns([["", say("TOTAL", "总数"), say("PER SECOND, LAST 10 s", "每秒（近 10 秒）"), say("LAST MINUTE", "近一分钟")]] + rows)
    }

    private static func loops(_ status: JSONValue) -> [String] {
        let rows = (status["loops"].map { Array($0.elements) } ?? []).enumerated().map { index, loop in
            [
                "\(index)" + (loop["late"] == nil ? "" : say(" (does not answer)", "（没有回答）")), "\(number(loop["devices"]))",
                "\(number(loop["online"]))", "\(number(loop["callers"]))",
            ]
        }
        return columns([[say("LOOP", "循环"), say("DEVICES", "设备连接"), say("ONLINE", "在线"), say("CALLERS", "调用方连接")]] + rows)
    }

    /// The first column is text, the others are numbers.
    private static func columns(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { Terminal.width(of: $0[column]) }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - Terminal.width(of: row[column]))
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
    }

    private static func number(_ value: JSONValue?) -> Int64 { value?.int64 ?? 0 }

    private static func text(_ value: JSONValue?) -> String { Column.show(value, named: "") }

    /// Bytes in the largest unit of which there is one.
    static func size(_ value: JSONValue?) -> String {
        let bytes = number(value)
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard let power = units.indices.last(where: { bytes >> (10 * ($0 + 1)) > 0 }) else { return "\(bytes) B" }
        let tenths = (bytes * 10) >> (10 * (power + 1))
        return "\(tenths / 10).\(tenths % 10) \(units[power])"
    }
}
