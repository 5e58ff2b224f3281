import PostgresStore

/// What the hosts of a shared store's database have told. Pure: figures in, findings out.
struct DatabaseSight {
    let hosts: DatabaseHosts
    /// For how many nodes it is judged; `nil`: for those that live, or one.
    var wantedNodes: Int?

    /// Sessions that a node holds, and what `max_connections` should be for so many nodes (docs/cluster.md, "Set up").
    private static func fewest(for nodes: Int) -> Int { 4 * nodes }
    private static func wanted(for nodes: Int) -> Int { 6 * nodes + 20 }
    /// Clocks that differ by more are a step of store time when another host becomes the primary.
    private static let farthestClocks: Int64 = 2_000
    /// A standby that is further behind has not caught up.
    private static let farthestBehind: Int64 = 16 << 20
    private static let oldestVersion = 150_000

    private var nodes: Int { wantedNodes ?? max(1, hosts.nodes ?? 1) }
    private var primaries: [DatabaseHost] { hosts.all.filter { $0.standing?.isStandby == false } }
    /// With which the others are compared; there is none where two take writes.
    private var primary: DatabaseHost.Standing? { primaries.count == 1 ? primaries[0].standing : nil }

    /// Of each host, in the address's order, then of all.
    var findings: [Diagnosis.Finding] { hosts.all.flatMap(findings) + [whole, tables].compactMap(\.self) }

    private func findings(of host: DatabaseHost) -> [Diagnosis.Finding] {
        switch host.answer {
        case .refused(let reason):
            return [Diagnosis.Finding(subject: host.name, .fault, text: reason.text(in: Speech.language))]
        case .standing(let standing):
            let faults = [
                version(of: standing), cluster(of: standing), following(of: standing), connections(of: standing),
                clock(of: standing), standbys(of: standing),
            ].compactMap(\.self)
            let good: [(Diagnosis.Level, String)] = faults.contains { $0.0 == .fault } ? [] : [(.good, words(standing))]
            return (good + faults).map { Diagnosis.Finding(subject: host.name, $0.0, text: $0.1) }
        }
    }

    private func words(_ standing: DatabaseHost.Standing) -> String {
        let role = standing.isStandby ? say("standby", "备库") : say("primary", "主库")
        let version = "PostgreSQL \(standing.version / 10_000).\(standing.version % 10_000)"
        let connections = say(
            "\(standing.usedConnections) of \(standing.connections) connections in use",
            "已用连接 \(standing.usedConnections)，上限 \(standing.connections)")
        let names = standing.standbyNames
        let waits =
            names.isEmpty ? "" : say(", synchronous_standby_names: \(names)", "，synchronous_standby_names：\(names)")
        return say("\(role), \(version), \(connections)\(waits)", "\(role)，\(version)，\(connections)\(waits)")
    }

    private func version(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        guard standing.version < Self.oldestVersion else { return nil }
        let found = "PostgreSQL \(standing.version / 10_000)"
        return (.fault, say("\(found) is too old: 15 or later", "\(found) 版本过低：需要 15 或更高版本"))
    }

    private func cluster(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        guard let primary, standing.cluster != primary.cluster else { return nil }
        return (
            .fault,
            say(
                "no copy of the primary: it was made by itself (initdb), not by pg_basebackup",
                "不是主库的副本：它是单独建立的（initdb），而不是由 pg_basebackup 复制的")
        )
    }

    private func following(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        guard standing.isStandby else { return nil }
        guard standing.isReceiving else {
            return (
                .fault,
                say(
                    "it receives nothing from a primary: see its log, its primary_conninfo, and whether the primary lets it in",
                    "没有从主库接收数据：请查看其日志和 primary_conninfo，并检查主库是否允许它连接")
            )
        }
        guard let primary, primary.position - standing.position > Self.farthestBehind else { return nil }
        let missing = (primary.position - standing.position) >> 20
        return (.warning, say("\(missing) MiB behind the primary", "落后主库 \(missing) MiB"))
    }

    private func connections(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        let (fewest, wanted) = (Self.fewest(for: nodes), Self.wanted(for: nodes))
        let advice = say(
            "set max_connections to \(wanted), on the standbys first, and give role and database no lower CONNECTION LIMIT",
            "请把 max_connections 设为 \(wanted)（先改备库），角色和数据库的 CONNECTION LIMIT 不要低于它")
        let holding = nodes == 1 ? "a node holds" : "\(nodes) nodes hold"
        if standing.ownConnections < fewest {
            return (
                .fault,
                say(
                    "this role may have \(standing.ownConnections) connections, and \(holding) \(fewest): \(advice)",
                    "该角色最多 \(standing.ownConnections) 个连接，\(nodes) 个节点需要 \(fewest) 个：\(advice)")
            )
        }
        guard standing.connections < wanted else { return nil }
        return (
            .warning,
            say(
                "\(standing.connections) connections leave few to spare, as \(holding) \(fewest): \(advice)",
                "\(standing.connections) 个连接对 \(nodes) 个节点余量不足：\(advice)")
        )
    }

    private func clock(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        guard let primary else { return nil }
        let difference = standing.clock.ahead - primary.clock.ahead
        let doubt = standing.clock.within + primary.clock.within
        guard Int64(difference.magnitude) > Self.farthestClocks + doubt else { return nil }
        let seconds = Int64(difference.magnitude) / 1_000
        let end = say("run NTP on all", "请在所有机器上运行 NTP")
        return (
            .fault,
            difference > 0
                ? say("its clock is \(seconds) s ahead of the primary's: \(end)", "时钟比主库快 \(seconds) 秒：\(end)")
                : say("its clock is \(seconds) s behind the primary's: \(end)", "时钟比主库慢 \(seconds) 秒：\(end)")
        )
    }

    private func standbys(of standing: DatabaseHost.Standing) -> (Diagnosis.Level, String)? {
        guard !standing.isStandby, standing.standbyNames.isEmpty || ["off", "local"].contains(standing.commit) else { return nil }
        return (.warning, StatusLines.withoutStandby)
    }

    /// Whether one of them, and no more, takes writes.
    private var whole: Diagnosis.Finding? {
        let names = primaries.map(\.name).joined(separator: ", ")
        switch primaries.count {
        case 1: return nil
        case 0 where hosts.all.allSatisfy { $0.standing != nil }:
            return Diagnosis.Finding(
                subject: "primary", .fault,
                text: say(
                    "none takes writes: where the former one is switched off and does not come back, promote a standby",
                    "没有可写入的主库：若原主库确已关机、不会恢复，请提升一台备库"))
        case 0:
            return Diagnosis.Finding(
                subject: "primary", .fault,
                text: say("none of those that answer takes writes", "能应答的主机中没有可写入的主库"))
        case _ where Set(primaries.map(\.standing?.cluster)).count > 1:
            return Diagnosis.Finding(
                subject: "primary", .fault,
                text: say(
                    "\(names) take writes, and are no copies of each other: one was made by itself (initdb); a standby is made "
                        + "by pg_basebackup",
                    "\(names) 都可写入，并且互不是对方的副本：其中有单独建立的（initdb）；备库要用 pg_basebackup 建立"))
        default:
            return Diagnosis.Finding(
                subject: "primary", .fault,
                text: say(
                    "\(names) take writes: switch off the one that was superseded, and make it a standby anew (pg_basebackup)",
                    "\(names) 都可写入：请关闭已被取代的主库，并把它重新建为备库（pg_basebackup）"))
        }
    }

    private var tables: Diagnosis.Finding? {
        hosts.unfitTables.map { Diagnosis.Finding(subject: "tables", .fault, text: $0.text(in: Speech.language)) }
    }
}
