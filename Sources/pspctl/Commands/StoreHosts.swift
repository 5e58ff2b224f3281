import ArgumentParser
import JSON
import Postgres
import PostgresStore

/// `pspctl store hosts`
struct StoreHosts: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "hosts",
            abstract: say("Ask each host of a shared store's database by itself.", "逐一检查共用存储数据库的每台主机。"),
            discussion: say(
                """
                A node uses the host that takes writes: that a standby does not let it in, has too few connections or a wrong \
                clock shows only once it has been promoted. This asks every host of the address as a node would, changes \
                nothing, and says what to change. Run it where a node runs, as pg_hba.conf goes by address, and before there are \
                nodes too. Ends with 1 where something is to be fixed; what is only to be looked at does not count.
                """,
                """
                节点只使用可写入的主机：备库不允许节点连接、连接数不足或时钟不准，要到它被提升为主库时才会暴露。本命令像节点那样连接地址中的每台主机，\
                不作任何更改，并说明应当更改什么。pg_hba.conf 按地址判断，因此请在节点所在的机器上运行；没有节点时也可运行。有需要更改的内容时退出码为 1；\
                只需留意的不算。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl store hosts postgres://psp@db1,db2,db3/psp --password-file /etc/pspd/store.password",
                    "pspctl store hosts postgres://psp@db1,db2,db3/psp --nodes 5"))
    }

    @Argument(
        help: ArgumentHelp(
            say("Where the database is, as pspd has it in --store.", "数据库地址，与 pspd 的 --store 相同。"), valueName: "store"))
    var store: String

    @Option(
        help: ArgumentHelp(
            say("Judge connections for so many nodes; else for those that live.", "按这么多节点判断连接数；默认按正在运行的节点数。"),
            valueName: "n"),
        transform: WholeNumber.within(1...10_000))
    var nodes: Int?

    @OptionGroup(title: say("Store", "存储"))
    var options: DatabaseOptions

    func run() async throws {
        let hosts = try await Self.ask(try options.database(at: store))
        let sight = DatabaseSight(hosts: hosts, wantedNodes: nodes)
        let findings = sight.findings
        try Diagnosis.tell(findings, json: options.json ? Self.json(hosts, sight.nodes, findings) : nil)
    }

    /// - Throws: where no host was asked, for a reason that lies here.
    static func ask(_ database: PostgresOptions) async throws -> DatabaseHosts {
        let hosts = await DatabaseHosts(of: database)
        for case .refused(let refusal) in hosts.all.map(\.answer) where refusal.cause == .password {
            throw Failure.database("\(database.address)", reason: refusal.text)
        }
        return hosts
    }

    private static func json(_ hosts: DatabaseHosts, _ judgedFor: Int, _ findings: [Diagnosis.Finding]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { json in
            json.key("hosts")
            json.array { json in
                for host in hosts.all {
                    json.object { json in
                        json.member("host", host.name)
                        switch host.answer {
                        case .standing(let standing): write(standing, to: &json)
                        case .refused(let refusal): json.member("error", refusal.text.text(in: Speech.language))
                        }
                    }
                }
            }
            if let nodes = hosts.nodes { json.member("nodes", nodes) }
            json.member("judged_for", judgedFor)
            Diagnosis.write(findings, to: &json)
        }
        return writer.bytes
    }

    private static func write(_ standing: DatabaseHost.Standing, to json: inout JSONWriter) {
        json.member("version", standing.version)
        json.member("role", standing.isStandby ? "standby" : "primary")
        json.member("system_identifier", "\(standing.cluster)")
        json.member("lsn", standing.lsn)
        if let following = standing.following {
            json.member("connected", following.isConnected)
            json.member("missing", following.missing)
            json.member("ahead", following.isAhead)
        } else {
            json.member("timeline", standing.timeline)
        }
        json.member("max_connections", standing.connections.most)
        json.member("usable_connections", standing.connections.usable)
        json.member("used_connections", standing.connections.used)
        if let limit = standing.connections.ofRole { json.member("role_limit", limit) }
        if let limit = standing.connections.ofDatabase { json.member("database_limit", limit) }
        json.member("synchronous_standby_names", standing.standbyNames)
        json.member("synchronous_commit", standing.commit)
        json.member("clock_ahead_ms", standing.clock.ahead)
    }
}
