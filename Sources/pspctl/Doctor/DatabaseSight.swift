import PostgresStore

/// What the hosts of a shared store's database have told. Pure: figures in, findings out.
///
/// What is judged of one host stands in `DatabaseSight+host.swift`.
struct DatabaseSight {
    let hosts: DatabaseHosts
    /// For how many nodes it is judged; `nil`: for those that live, or one.
    var wantedNodes: Int?

    var nodes: Int { wantedNodes ?? max(1, hosts.nodes ?? 1) }

    /// For how many nodes connections are judged, where nobody has said it.
    private var judged: Diagnosis.Finding? {
        guard wantedNodes == nil else { return nil }
        let (level, text): (Diagnosis.Level, String) =
            switch hosts.nodes {
            case nil:
                (
                    .warning,
                    say(
                        "how many live cannot be told: connections are judged for one; --nodes says for how many",
                        "无法得知正在运行的节点数：按一个节点判断连接数；可用 --nodes 指定节点数")
                )
            case 0:
                (
                    .warning,
                    say(
                        "none lives: connections are judged for one; --nodes says for how many",
                        "没有正在运行的节点：按一个节点判断连接数；可用 --nodes 指定节点数")
                )
            case let count?: (.good, say(count == 1 ? "one lives" : "\(count) live", "\(count) 个正在运行"))
            }
        return Diagnosis.Finding(subject: "database's nodes", level, text: text)
    }

    /// One that could be asked.
    typealias Asked = (name: String, standing: DatabaseHost.Standing)

    /// In the address's order.
    var asked: [Asked] { hosts.all.compactMap { host in host.standing.map { (host.name, $0) } } }

    /// The same, each server once, however often the address names it.
    private var servers: [Asked] {
        asked.reduce(into: []) { found, host in
            if !found.contains(where: { $0.standing.isSameServer(as: host.standing) }) { found.append(host) }
        }
    }

    /// Those that take writes.
    var primaries: [Asked] { servers.filter { !$0.standing.isStandby } }

    /// `nil` where none takes writes, or several do.
    var primary: Asked? { primaries.count == 1 ? primaries[0] : nil }

    /// Whose copies the others are to be: the primary, or where none takes writes the standby that has most.
    var reference: Asked? { primaries.isEmpty ? asked.max { $0.standing.position < $1.standing.position } : primary }

    /// Of each host, in the address's order, then of all.
    var findings: [Diagnosis.Finding] { hosts.all.flatMap(findings) + [names, whole, others, tables, judged].compactMap(\.self) }

    /// One server that the address names twice.
    private var names: Diagnosis.Finding? {
        let asked = asked
        for (index, host) in asked.enumerated() {
            guard let other = asked[(index + 1)...].first(where: { $0.standing.isSameServer(as: host.standing) }) else {
                continue
            }
            return Diagnosis.Finding(
                subject: "database's address", .warning,
                text: say(
                    "\(host.name) and \(other.name) are the same server: name each host once",
                    "\(host.name) 和 \(other.name) 是同一台服务器：每台主机只应列出一次"))
        }
        return nil
    }

    /// Whether one of them, and no more, takes writes.
    private var whole: Diagnosis.Finding? {
        let text: String
        switch primaries.count {
        case 1: return nil
        // One of those that could not be asked may take them.
        case 0 where asked.count < hosts.all.count: return nil
        case 0 where asked.contains { $0.standing.following?.isConnected == true }:
            text = say(
                "none takes writes, but standbys are connected to a primary that the address does not name: add it",
                "没有可写入的主库，但备库连接着地址中没有列出的主库：请把它加入地址")
        case 0:
            text = say(
                "none takes writes: where the former one is switched off and does not come back, promote the standby that has "
                    + "most",
                "没有可写入的主库：若原主库确已关机、不会恢复，请提升数据最多的备库")
        default: text = several
        }
        return Diagnosis.Finding(subject: "database's primary", .fault, text: text)
    }

    private var several: String {
        let names = primaries.map(\.name).joined(separator: say(", ", "、"))
        guard Set(primaries.map(\.standing.cluster)).count == 1 else {
            return say(
                "\(names) take writes, and are no copies of each other: one was made by itself (initdb); a standby is made by "
                    + "pg_basebackup",
                "\(names) 都可写入，并且互不是对方的副本：其中有单独建立的（initdb）；备库要用 pg_basebackup 建立")
        }
        let newest = primaries.map(\.standing.timeline).max()
        let former = primaries.filter { $0.standing.timeline != newest }.map(\.name).joined(separator: say(", ", "、"))
        let which = former.isEmpty ? "" : say(" (by its timeline \(former))", "（按时间线为 \(former)）")
        return say(
            "\(names) take writes: switch off the one that was superseded\(which), and make it a standby anew (pg_basebackup)",
            "\(names) 都可写入：请关闭已被取代的主库\(which)，并把它重新建为备库（pg_basebackup）")
    }

    /// Standbys that are connected to somebody else. Which of them, only they could tell, and not to this role.
    private var others: Diagnosis.Finding? {
        // Who could not tell may serve any of them.
        let readers = servers.compactMap(\.standing.readers)
        guard primary != nil, readers.count == servers.count else { return nil }
        let connected = servers.count { $0.standing.following?.isConnected == true }
        let served = readers.reduce(0, +)
        guard connected > served else { return nil }
        return Diagnosis.Finding(
            subject: "database's primary", .warning,
            text: say(
                "standbys that are connected: \(connected); those that these hosts serve: \(served). So \(connected - served) "
                    + "may follow a server that the address does not name: see their primary_conninfo",
                "已连接的备库 \(connected) 台，这些主机所服务的 \(served) 台：有 \(connected - served) 台可能在跟随地址中没有列出的服务器，请查看其 primary_conninfo"))
    }

    /// Of the primary.
    private var tables: Diagnosis.Finding? {
        hosts.unfitTables.map { Diagnosis.Finding(subject: "database's tables", .fault, text: $0.text(in: Speech.language)) }
    }
}
