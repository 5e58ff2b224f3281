import ArgumentParser
import JSON
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
                clock shows only when it was promoted. This asks every host of the address as a node would, changes nothing, and \
                says what to change. Run it where a node runs, as pg_hba.conf goes by address, and before there are nodes too. \
                Ends with 1 where something is to be fixed; what is only to be looked at does not count.
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
        let hosts = await DatabaseHosts(of: try options.database(at: store))
        let findings = DatabaseSight(hosts: hosts, wantedNodes: nodes).findings
        if options.json {
            Output.json(Self.json(hosts, findings))
        } else {
            for finding in findings { print(finding.line) }
        }
        if findings.contains(where: { $0.level == .fault }) { throw ExitCode(1) }
    }

    private static func json(_ hosts: DatabaseHosts, _ findings: [Diagnosis.Finding]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { json in
            json.key("hosts")
            json.array { json in
                for host in hosts.all {
                    json.object { json in
                        json.member("host", host.name)
                        if let standing = host.standing { write(standing, to: &json) }
                    }
                }
            }
            if let nodes = hosts.nodes { json.member("nodes", nodes) }
            Diagnosis.write(findings, to: &json)
        }
        return writer.bytes
    }

    private static func write(_ standing: DatabaseHost.Standing, to json: inout JSONWriter) {
        json.member("version", standing.version)
        json.member("role", standing.isStandby ? "standby" : "primary")
        json.member("receiving", standing.isReceiving)
        json.member("position", standing.position)
        json.member("max_connections", standing.connections)
        json.member("connections", standing.ownConnections)
        json.member("connections_in_use", standing.usedConnections)
        json.member("synchronous_standby_names", standing.standbyNames)
        json.member("synchronous_commit", standing.commit)
        json.member("clock_ahead", standing.clock.ahead)
    }
}
