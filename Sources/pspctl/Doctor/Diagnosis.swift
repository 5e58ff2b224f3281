import JSON

/// What is judged of a server and its machine. Pure: figures in, findings out.
struct Diagnosis {
    let status: JSONValue
    let metrics: [String: Double]
    /// Unix time in seconds.
    let now: Double
    /// A kernel setting by its name; `nil` where it cannot be read.
    let setting: (String) -> Double?

    struct Finding: Equatable {
        let subject: String
        let isGood: Bool
        let text: String

        var line: String { "\(isGood ? say("ok  ", "正常") : say("FIX ", "需改"))  \(subject): \(text)" }
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
        [state, descriptors, disk, log, clock, synchronisation, certificate].compactMap(\.self) + kernel
    }

    private var state: Finding {
        let state = Column.show(status["state"], named: "state")
        let isReady = status["state"]?.string == "ready"
        let detail = status["detail"].map { " (\(Column.show($0, named: "detail")))" } ?? ""
        return Finding(
            subject: say("state", "状态"), isGood: isReady,
            text: isReady ? state : say("\(state)\(detail): pushes are not taken", "\(state)\(detail)：不接受推送"))
    }

    private var descriptors: Finding? {
        guard let open = metrics["process_open_fds"], let most = metrics["process_max_fds"] else { return nil }
        let isGood = most >= 65_536 && open < 0.8 * most
        let text = say("\(Int(open)) of \(Int(most)) in use", "已用 \(Int(open))，上限 \(Int(most))")
        return Finding(
            subject: say("descriptors", "描述符"), isGood: isGood,
            text: isGood
                ? text
                : text
                    + say(
                        "; raise LimitNOFILE= to 65536 at least, and above the number of devices",
                        "；请把 LimitNOFILE= 提高到 65536 以上，并高于设备数量"))
    }

    private var disk: Finding? {
        guard let free = metrics["psp_store_disk_free_bytes"], let size = metrics["psp_store_database_bytes"] else { return nil }
        // A backup, and the log beside it, should find room.
        let needed = max(2_147_483_648, size)
        let text = say("\(Int(free / 1_048_576)) MiB free", "剩余 \(Int(free / 1_048_576)) MiB")
        return Finding(
            subject: say("disk", "磁盘"), isGood: free >= needed,
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
            subject: say("clock", "时钟"), isGood: isGood,
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
            subject: say("certificate", "证书"), isGood: days >= 14,
            text: days >= 14 ? say("\(days) days left", "剩余 \(days) 天") : say("\(days) days left: renew it", "剩余 \(days) 天：请更新"))
    }

    /// What `deploy/sysctl/pspd.conf` sets and a server with many devices needs first.
    private var kernel: [Finding] {
        [("net.core.somaxconn", 4_096.0), ("net.ipv4.tcp_max_syn_backlog", 4_096.0), ("fs.file-max", 1_048_576.0)].compactMap {
            name, least in
            guard let value = setting(name) else { return nil }
            return Finding(
                subject: name, isGood: value >= least,
                text: value >= least
                    ? "\(Int(clamping: Int64(min(value, 9e18))))"
                    : say(
                        "\(Int(value)), below \(Int(least)): deploy/sysctl/pspd.conf",
                        "\(Int(value))，低于 \(Int(least))：deploy/sysctl/pspd.conf"))
        }
    }
}
