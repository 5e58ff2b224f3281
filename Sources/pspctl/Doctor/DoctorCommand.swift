import ArgumentParser
import Foundation
import JSON
import PostgresStore

/// `pspctl doctor`
struct DoctorCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "doctor",
            abstract: say(
                "Check a running server and its machine, and say what to change.", "检查运行中的服务器及其机器，并说明应当更改什么。"),
            discussion: say(
                """
                Kernel settings are this machine's: run it where the server runs. They and open files are judged by the number \
                of registered devices, or by --devices. With --through it also asks the server through the balancer in front of \
                it, from another machine best, and tells what the balancer makes of requests. With --store it asks each host of \
                the database that nodes share. Ends with 1 where something is to be fixed; what is only to be looked at does not \
                count.
                """,
                """
                内核设置取自本机：请在服务器所在的机器上运行。内核设置和打开文件数按已登记的设备数或 --devices 判断。加上 --through 时，还通过前面的负载均衡\
                访问服务器（最好在另一台机器上运行），并说明负载均衡怎样改变请求。加上 --store 时，\
                还逐一检查节点共用的数据库的每台主机。有需要更改的内容时退出码为 1；只需留意的不算。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl doctor", "pspctl doctor --devices 100000", "pspctl doctor --through https://push.example.com:443",
                    "pspctl doctor --store postgres://psp@db1,db2,db3/psp --password-file /etc/pspd/store.password")
        )
    }

    @Option(
        help: ArgumentHelp(
            say("The balancer's address for callers: http:// or https://HOST:PORT.", "负载均衡面向调用方的地址：http:// 或 https://HOST:PORT。"),
            valueName: "url"))
    var through: Endpoint?

    @Option(
        help: ArgumentHelp(
            say("Judge for so many devices; else for those that are registered.", "按这么多设备判断；默认按已登记的设备数。"), valueName: "n"),
        transform: WholeNumber.within(0...100_000_000))
    var devices: Int?

    @Option(
        help: ArgumentHelp(
            say(
                "Ask each host of this database too, as pspctl store hosts does: what pspd has in --store.",
                "同时逐一检查该数据库的每台主机（同 pspctl store hosts）：与 pspd 的 --store 相同。"),
            valueName: "store"))
    var store: String?

    @OptionGroup(title: say("Store", "存储"))
    var password: PasswordFileOption

    @Option(
        help: ArgumentHelp(
            say(
                "With --store: judge connections for so many nodes; else for those that live.",
                "与 --store 一起：按这么多节点判断连接数；默认按正在运行的节点数。"),
            valueName: "n"),
        transform: WholeNumber.within(1...10_000))
    var nodes: Int?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func validate() throws {
        if let store { _ = try password.database(at: store) }
        guard store == nil, nodes != nil || password.passwordFile != nil else { return }
        throw ValidationError(
            say(
                "--nodes and --password-file are for --store, which is missing.",
                "--nodes 和 --password-file 用于 --store，而没有给出 --store。"))
    }

    func run() async throws {
        let client = try server.adminClient()
        let status = try await client.send(StatusCommand.call).data
        let metrics = Diagnosis.samples(try await client.text("/metrics"))
        let (devices, untold) = try await number(client, status)
        let diagnosis = Diagnosis(status: status, metrics: metrics, devices: devices, now: Date().timeIntervalSince1970) { name in
            let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            return text.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        var findings = diagnosis.findings
        if let untold { findings.append(untold) }
        if let store { findings += try await sight(store) }
        if let through { findings += try await sight(through, client) }
        try Diagnosis.tell(findings, json: server.json ? Diagnosis.json(findings) : nil)
    }

    /// For how many devices it is judged. A server that is not ready cannot tell how many are registered: then for those that are
    /// connected, which is one more thing to look at.
    private func number(_ client: ServerClient, _ status: JSONValue) async throws -> (Int, untold: Diagnosis.Finding?) {
        if let devices { return (devices, nil) }
        do {
            return (try await Self.registered(client), nil)
        } catch Failure.refused(503, _, _, _) {
            let connected = Int(status["connections"]?["devices"]?.int64 ?? 0)
            return (
                connected,
                Diagnosis.Finding(
                    subject: "devices", .warning,
                    text: say(
                        "how many are registered cannot be told now; judged for the \(connected) that are connected: --devices",
                        "存储无法给出已登记的设备数；按已连接的 \(connected) 台判断：--devices"))
            )
        }
    }

    /// How many devices there are: each is in an organisation, whose number counts all below it.
    private static func registered(_ client: ServerClient) async throws -> Int {
        var count: Int64 = 0
        _ = try await Listing(client: client, path: OrganisationResource.path(), query: []).read(wanted: nil) { org in
            if org["parent_id"]?.string == nil { count += org["devices"]?.int64 ?? 0 }
        }
        return Int(count)
    }

    /// What is found of the database's hosts. A password's file that cannot be read is one more thing to be fixed.
    private func sight(_ store: String) async throws -> [Diagnosis.Finding] {
        let database = try password.database(at: store)
        do {
            return DatabaseSight(hosts: try await StoreHosts.ask(database), wantedNodes: nodes).findings
        } catch let failure as Failure {
            return [Diagnosis.Finding(subject: "database", .fault, text: failure.description)]
        }
    }

    /// A balancer that is not to be reached is one more thing to be fixed, and takes nothing from the others.
    private func sight(_ through: Endpoint, _ client: ServerClient) async throws -> [Diagnosis.Finding] {
        do {
            return try await BalancerProbe(admin: client, balancer: server.client(of: through)).sight().findings
        } catch let failure as Failure {
            return [Diagnosis.Finding(subject: "through the balancer", .fault, text: failure.description)]
        }
    }
}
