import JSON

/// What is judged of a server and its machine. Pure: figures in, findings out.
struct Diagnosis {
    let status: JSONValue
    let metrics: [String: Double]
    /// For how many devices it is judged, all connected at once: those that are registered, unless the operator says otherwise.
    var devices = 0
    /// Unix time in seconds.
    let now: Double
    /// A kernel setting by its name; `nil` where it cannot be read.
    let setting: (String) -> Double?

    struct Finding: Equatable {
        /// In English whatever the language is, as scripts find it.
        let subject: String
        var level = Level.good
        let text: String
        /// The subject is a name that somebody has given: no word for it is looked for.
        var isName = false

        init(subject: String, _ level: Level, text: String) { (self.subject, self.level, self.text) = (subject, level, text) }
        init(name: String, _ level: Level, text: String) { (subject, self.level, self.text, isName) = (name, level, text, true) }
        init(subject: String, isGood: Bool, text: String) { self.init(subject: subject, isGood ? .good : .fault, text: text) }

        var line: String {
            let shown = isName ? Output.printable(subject) : ValueWords.short(subject, named: "subject")
            return "\(level.words)  \(shown)\(say(": ", "："))\(text)"
        }
    }

    /// How a finding is to be taken.
    enum Level: String {
        case good
        /// It does for now, or cannot be told from here: somebody should look at it.
        case warning
        /// It is to be changed.
        case fault

        var words: String {
            switch self {
            case .good: say("ok  ", "正常")
            case .warning: say("LOOK", "留意")
            case .fault: say("FIX ", "需改")
            }
        }
    }

    /// The values of an exposition that have no label.
    static func samples(_ text: String) -> [String: Double] {
        var found: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            if parts.count == 2, !parts[0].contains("{"), let value = Double(parts[1]) { found[String(parts[0])] = value }
        }
        return found
    }

    /// In the order in which an operator goes through them.
    var findings: [Finding] {
        [state, lease, standby, functions, descriptors, disk, log, clock, synchronisation, certificate].compactMap(\.self)
            + kernel
    }

    private var state: Finding {
        let state = Column.show(status["state"], named: "state")
        let isReady = status["state"]?.string == "ready"
        let detail = status["detail"].map { Column.show($0, named: "detail") }.map { say(" (\($0))", "（\($0)）") } ?? ""
        let remedy =
            status["remedy"].map { say("; \(Column.show($0, named: "remedy"))", "；\(Column.show($0, named: "remedy"))") } ?? ""
        return Finding(
            subject: "state", isGood: isReady,
            text: isReady
                ? state : say("\(state)\(detail): pushes are not taken\(remedy)", "\(state)\(detail)：不接受推送\(remedy)"))
    }

    /// Of a store that nodes share.
    private var lease: Finding? {
        guard let shared = status["shared"], let left = shared["lease"]?.int64, let lag = shared["lag"]?.int64 else { return nil }
        let subject = "lease"
        if left == 0 {
            return Finding(
                subject: subject, .fault,
                text: say(
                    "none now, and nothing is delivered until it is renewed", "现在没有，续租之前不下发任何消息"))
        }
        let isFar = lag > 10_000
        return Finding(
            subject: subject, isFar ? .warning : .good,
            text: say("\(left) ms left, \(lag) positions behind", "剩余 \(left) ms，落后 \(lag) 个位置")
                + (isFar ? say(": pspctl nodes", "：pspctl nodes") : ""))
    }

    private var standby: Finding? {
        warning(of: "without_standby", "database's standby", StatusLines.withoutStandby)
    }

    private var functions: Finding? {
        warning(of: "foreign_functions", "database's functions", StatusLines.foreignFunctions)
    }

    /// Of what the store that nodes share tells only where something is wrong.
    private func warning(of member: String, _ subject: String, _ text: String) -> Finding? {
        status["shared"]?[member].map { _ in Finding(subject: subject, .warning, text: text) }
    }

    /// By the formula of docs/operations.md, section Sizing.
    private func openFiles(for devices: Int) -> Double {
        let callers = Int(status["connections"]?["callers"]?.int64 ?? 0)
        let loops = status["loops"]?.count ?? 1
        return (Double(devices + callers + 300 + 50 * loops) * 8 / 7).rounded(.up)
    }

    private var descriptors: Finding? {
        guard let open = metrics["process_open_fds"], let most = metrics["process_max_fds"] else { return nil }
        let needed = openFiles(for: devices)
        let text = say("\(Int(open)) of \(Int(most)) in use", "已用 \(Int(open))，上限 \(Int(most))")
        let level: Level =
            if open >= 0.9 * most || most < openFiles(for: devices / 2) {
                .fault
            } else if open >= 0.8 * most || most < needed {
                .warning
            } else {
                .good
            }
        return Finding(
            subject: "descriptors", level,
            text: level == .good
                ? text
                : text
                    + say(
                        "; \(devices) devices need \(Int(needed)): raise LimitNOFILE= of the unit above that",
                        "；\(devices) 台设备需要 \(Int(needed))：请把服务单元的 LimitNOFILE= 提高到它以上"))
    }

    private var disk: Finding? {
        guard let free = metrics["psp_store_disk_free_bytes"], let size = metrics["psp_store_database_bytes"] else { return nil }
        // A backup, and the log beside it, should find room.
        let needed = max(2_147_483_648, size)
        let text = say("\(Int(free / 1_048_576)) MiB free", "剩余 \(Int(free / 1_048_576)) MiB")
        return Finding(
            subject: "disk", isGood: free >= needed,
            text: free >= needed
                ? text
                : text + say("; make room for \(Int(needed / 1_048_576)) MiB", "；请腾出 \(Int(needed / 1_048_576)) MiB"))
    }

    private var log: Finding? {
        guard let size = metrics["psp_store_log_bytes"] else { return nil }
        let isGood = size <= 536_870_912
        let text = "\(Int(size / 1_048_576)) MiB"
        return Finding(
            subject: "psp.db-wal", isGood: isGood,
            text: isGood
                ? text : text + say("; somebody reads psp.db without an end: fuser -v psp.db", "；有程序一直在读 psp.db：fuser -v psp.db"))
    }

    private var clock: Finding? {
        guard let offset = metrics["psp_clock_offset_seconds"] else { return nil }
        let isGood = offset <= 5
        return Finding(
            subject: "clock", isGood: isGood,
            text: isGood
                ? say("store time follows it", "存储时间与之一致")
                : say("\(Int(offset)) s ahead of store time: pspctl clock", "比存储时间快 \(Int(offset)) 秒：pspctl clock"))
    }

    private var synchronisation: Finding? {
        guard let isSynchronised = metrics["psp_clock_synchronised"] else { return nil }
        return Finding(
            subject: "NTP", isGood: isSynchronised == 1,
            text: isSynchronised == 1
                ? say("synchronised", "已同步")
                : say("not synchronised: start chrony or systemd-timesyncd", "未同步：请启动 chrony 或 systemd-timesyncd"))
    }

    private var certificate: Finding? {
        guard let expiry = metrics["psp_tls_certificate_expiry_timestamp_seconds"] else { return nil }
        let days = Int(((expiry - now) / 86_400).rounded(.down))
        return Finding(
            subject: "certificate", isGood: days >= 14,
            text: days >= 14 ? say("\(days) days left", "剩余 \(days) 天") : say("\(days) days left: renew it", "剩余 \(days) 天：请更新"))
    }

    /// Up to so many devices Debian's own kernel settings do, and from so many on no others than those of the file.
    private static let manyDevices = (10_000, 50_000)

    /// What `deploy/sysctl/pspd.conf` sets and a server with many devices needs first.
    private var kernel: [Finding] {
        let many: Level =
            devices <= Self.manyDevices.0 ? .good : devices < Self.manyDevices.1 ? .warning : .fault
        let wanted = [
            ("net.core.somaxconn", 4_096.0, many), ("net.ipv4.tcp_max_syn_backlog", 4_096.0, many),
            ("fs.file-max", openFiles(for: devices), .fault),
        ]
        return wanted.compactMap { name, least, level in
            guard let value = setting(name) else { return nil }
            let number = "\(Int(clamping: Int64(min(value, 9e18))))"
            if value >= least { return Finding(subject: name, .good, text: number) }
            return Finding(
                subject: name, level,
                text: level == .good
                    ? say("\(number), which does for \(devices) devices", "\(number)，对 \(devices) 台设备足够")
                    : say(
                        "\(number), below \(Int(least)) for \(devices) devices: deploy/sysctl/pspd.conf",
                        "\(number)，低于 \(devices) 台设备所需的 \(Int(least))：deploy/sysctl/pspd.conf"))
        }
    }
}
