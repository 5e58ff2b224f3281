import PostgresStore

// What is judged of one host.

extension DatabaseSight {
    private typealias Trouble = (level: Diagnosis.Level, text: String)

    private var fewest: Int { PostgresStore.connections(of: nodes).held }
    private var wanted: Int { PostgresStore.connections(of: nodes).wanted }
    /// Clocks that differ by more are a step of store time when another host becomes the primary.
    private static let farthestClocks: Int64 = 2_000
    private static let oldestVersion = 150_000

    func findings(of host: DatabaseHost) -> [Diagnosis.Finding] {
        let found: [Trouble]
        switch host.answer {
        case .refused(let refusal):
            // That another host knows the role says that the address and the password are right.
            let isOther = refusal.cause == .access && !asked.isEmpty
            let text = refusal.text.text(in: Speech.language)
            found = [
                (
                    .fault,
                    isOther ? text + say("; or make it a standby first (pg_basebackup)", "；若它还不是备库，请先建立（pg_basebackup）") : text
                )
            ]
        case .standing(let standing):
            let troubles = [
                version(of: standing), reading(of: standing), cluster(of: standing), following(of: standing),
                server(standing.connections),
                limits(of: standing), occupied(standing), clock(of: standing), durability(of: standing),
            ].compactMap(\.self)
            found = troubles.contains { $0.level == .fault } ? troubles : [(.good, words(standing))] + troubles
        }
        return found.map { Diagnosis.Finding(name: host.name, $0.level, text: $0.text) }
    }

    private func words(_ standing: DatabaseHost.Standing) -> String {
        let role = standing.isStandby ? say("standby", "备库") : say("primary", "主库")
        let version = "PostgreSQL \(standing.version / 10_000).\(standing.version % 10_000)"
        let connections = say(
            "\(standing.connections.used) of \(standing.connections.most) connections in use",
            "已用连接 \(standing.connections.used)，上限 \(standing.connections.most)")
        var words = say("\(role), \(version), \(connections)", "\(role)，\(version)，\(connections)")
        if !standing.standbyNames.isEmpty {
            words += say(
                ", synchronous_standby_names: \(standing.standbyNames)", "，synchronous_standby_names：\(standing.standbyNames)")
        }
        // Whom to promote.
        if primaries.isEmpty {
            words += say(", has the log up to \(standing.lsn)", "，日志到 \(standing.lsn)")
        }
        return words
    }

    private func version(of standing: DatabaseHost.Standing) -> Trouble? {
        guard standing.version < Self.oldestVersion else { return nil }
        let found = "PostgreSQL \(standing.version / 10_000)"
        return (.fault, say("\(found) is too old: 15 or later", "\(found) 版本过低：需要 15 或更高版本"))
    }

    private func reading(of standing: DatabaseHost.Standing) -> Trouble? {
        guard standing.onlyReads, !standing.isStandby else { return nil }
        return (
            .fault,
            say(
                "default_transaction_read_only is on, so that no node uses it: set it off",
                "default_transaction_read_only 为 on，节点不会使用它：请设为 off")
        )
    }

    private func cluster(of standing: DatabaseHost.Standing) -> Trouble? {
        guard let reference, standing.cluster != reference.standing.cluster else { return nil }
        return (
            .fault,
            say(
                "no copy of \(reference.name): one of the two was made by itself (initdb), not by pg_basebackup",
                "不是 \(reference.name) 的副本：两者之一是单独建立的（initdb），而不是由 pg_basebackup 复制的")
        )
    }

    private func following(of standing: DatabaseHost.Standing) -> Trouble? {
        guard let following = standing.following else { return nil }
        let isCatchingUp = following.isMoving && following.missing > 0
        guard following.isConnected || isCatchingUp else {
            return (
                .fault,
                say(
                    "it is connected to no primary: see its log, its primary_conninfo, and whether the primary lets it in",
                    "没有连接主库：请查看其日志和 primary_conninfo，并检查主库是否允许它连接")
            )
        }
        if following.isAhead {
            return (
                .fault,
                say(
                    "it has what the primary has not, and cannot follow it: make it anew (pg_basebackup)",
                    "它有主库没有的数据，无法跟随主库：请重新建立（pg_basebackup）")
            )
        }
        guard following.missing > 0 else { return nil }
        let size = following.missing < 10 << 20 ? "\(max(1, following.missing >> 10)) KiB" : "\(following.missing >> 20) MiB"
        if isCatchingUp { return (.warning, say("\(size) behind the primary, and catching up", "落后主库 \(size)，正在追赶")) }
        return (
            .fault,
            say(
                "it receives nothing of what the primary writes (\(size) behind): see its log; one that has followed another "
                    + "primary is made anew (pg_basebackup)",
                "没有收到主库写入的数据（落后 \(size)）：请查看其日志；曾跟随另一主库的备库须重新建立（pg_basebackup）")
        )
    }

    // MARK: Connections

    private var holding: String { nodes == 1 ? "a node holds \(fewest)" : "\(nodes) nodes hold \(fewest)" }

    private func server(_ connections: DatabaseHost.Connections) -> Trouble? {
        let advice = say("set max_connections to \(wanted), on the standbys first", "请把 max_connections 设为 \(wanted)（先改备库）")
        if connections.usable < fewest {
            return (
                .fault,
                say(
                    "max_connections leaves nodes \(connections.usable), and \(holding): \(advice)",
                    "max_connections 留给节点 \(connections.usable) 个连接，\(nodes) 个节点需要 \(fewest) 个：\(advice)")
            )
        }
        guard connections.most < wanted else { return nil }
        return (
            .warning,
            say(
                "max_connections is \(connections.most), which leaves few to spare, as \(holding): \(advice)",
                "max_connections 为 \(connections.most)，\(nodes) 个节点需要 \(fewest) 个，余量不足：\(advice)")
        )
    }

    /// Those of role and database come to the standbys from the primary.
    private func limits(of standing: DatabaseHost.Standing) -> Trouble? {
        guard !standing.isStandby || primaries.isEmpty else { return nil }
        let limits = [
            (standing.connections.ofRole, say("the role's", "角色"), "ALTER ROLE"),
            (standing.connections.ofDatabase, say("the database's", "数据库"), "ALTER DATABASE"),
        ]
        let lowest = limits.compactMap { limit, whose, command in limit.map { (limit: $0, whose: whose, command: command) } }
            .min { $0.limit < $1.limit }
        guard let lowest, lowest.limit < wanted else { return nil }
        let command = "\(lowest.command) … CONNECTION LIMIT \(wanted)"
        return (
            lowest.limit < fewest ? .fault : .warning,
            say(
                "\(lowest.whose) CONNECTION LIMIT is \(lowest.limit), and \(holding): \(command)",
                "\(lowest.whose)的 CONNECTION LIMIT 为 \(lowest.limit)，\(nodes) 个节点需要 \(fewest) 个：\(command)")
        )
    }

    /// By others than nodes.
    private func occupied(_ standing: DatabaseHost.Standing) -> Trouble? {
        let connections = standing.connections
        guard connections.usable >= fewest, connections.free < fewest else { return nil }
        return (
            .fault,
            say(
                "others leave nodes \(connections.free) of its connections, and \(holding): pg_stat_activity tells who has them",
                "其他会话只给节点留下 \(connections.free) 个连接，\(nodes) 个节点需要 \(fewest) 个：请在 pg_stat_activity 中查看被谁占用")
        )
    }

    // MARK: What shows when it becomes the primary

    /// By that of the primary, which counts; where there is none by this machine's.
    private func clock(of standing: DatabaseHost.Standing) -> Trouble? {
        let other =
            primary.map { (name: $0.name, clock: $0.standing.clock) }
            ?? (name: say("this machine", "本机"), clock: (ahead: 0, within: 0))
        let difference = standing.clock.ahead - other.clock.ahead
        let doubt = standing.clock.within + other.clock.within
        guard difference.magnitude > (Self.farthestClocks + doubt).magnitude else { return nil }
        let seconds = difference.magnitude / 1_000
        let end = say("run NTP on all", "请在所有机器上运行 NTP")
        return (
            .fault,
            difference > 0
                ? say(
                    "its clock is \(seconds) s ahead of that of \(other.name): \(end)",
                    "时钟比 \(other.name) 快 \(seconds) 秒：\(end)")
                : say(
                    "its clock is \(seconds) s behind that of \(other.name): \(end)",
                    "时钟比 \(other.name) 慢 \(seconds) 秒：\(end)")
        )
    }

    /// What commits wait for, or would.
    private func durability(of standing: DatabaseHost.Standing) -> Trouble? {
        if standing.isStandby {
            guard standing.standbyNames.isEmpty, reference?.standing.standbyNames.isEmpty == false else { return nil }
            return (
                .warning,
                say(
                    "synchronous_standby_names is empty: once promoted, its commits would wait for no standby; set it before "
                        + "(Patroni does that by itself)",
                    "synchronous_standby_names 为空：提升后它的提交不会等待任何备库；请在提升之前设置（Patroni 会自行设置）")
            )
        }
        if ["off", "local"].contains(standing.commit) {
            return (
                .warning,
                say(
                    "synchronous_commit is \(standing.commit) for this role, so that commits wait for no standby: what is "
                        + "answered SUCCESS is on one machine; set it to on, and restart the nodes",
                    "该角色的 synchronous_commit 为 \(standing.commit)，提交不等待任何备库，回复 SUCCESS 的内容只在一台机器上；请设为 on，并重启各节点")
            )
        }
        if standing.standbyNames.isEmpty {
            return (
                .warning,
                say(
                    "synchronous_standby_names is empty, so that commits wait for no standby: what is answered SUCCESS is on one "
                        + "machine; name standbys there when they follow",
                    "synchronous_standby_names 为空，提交不等待任何备库，回复 SUCCESS 的内容只在一台机器上；备库跟随之后请在其中列出")
            )
        }
        if standing.isWithoutSync == true, !standing.waitsForStandby {
            return (
                .warning,
                say(
                    "synchronous_standby_names names none of the standbys that are connected now: compare it with "
                        + "application_name in pg_stat_replication",
                    "synchronous_standby_names 没有列出现在连接的任何备库：请对照 pg_stat_replication 中的 application_name")
            )
        }
        guard standing.waitsForStandby else { return nil }
        return (
            .fault,
            say(
                "commits wait for a standby, and none confirms: compare synchronous_standby_names with application_name in "
                    + "pg_stat_replication, and start a standby that is named",
                "提交在等待备库确认，而没有备库确认：请对照 synchronous_standby_names 与 pg_stat_replication 中的 application_name，并启动其中列出的备库")
        )
    }
}

extension DatabaseHost.Standing {
    /// ``position`` as PostgreSQL writes it.
    var lsn: String {
        "\(String(position >> 32, radix: 16, uppercase: true))/\(String(position & 0xFFFF_FFFF, radix: 16, uppercase: true))"
    }
}
