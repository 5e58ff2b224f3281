import ArgumentParser
import Foundation
import JSON

/// `pspctl doctor`
struct DoctorCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "doctor",
            abstract: say(
                "Check a running server and its machine, and say what to change.", "检查运行中的服务器及其机器，并说明应当更改什么。"),
            discussion: say(
                """
                Kernel settings are this machine's: run it where the server runs. With --through it also asks the server through \
                the balancer in front of it, from another machine best, and tells what the balancer makes of requests. Ends \
                with 1 where something should be changed.
                """,
                """
                内核设置取自本机：请在服务器所在的机器上运行。加上 --through 时，还通过前面的负载均衡访问服务器（最好在另一台机器上运行），并说明负载均衡怎样\
                改变请求。有需要更改的内容时退出码为 1。
                """) + "\n\n"
                + HelpText.examples(
                    "pspctl doctor", "pspctl doctor --data /var/lib/pspd", "pspctl doctor --through https://push.example.com:443")
        )
    }

    @Option(
        help: ArgumentHelp(
            say("The balancer's address for callers: http:// or https://HOST:PORT.", "负载均衡面向调用方的地址：http:// 或 https://HOST:PORT。"),
            valueName: "url"))
    var through: Endpoint?

    @OptionGroup(title: say("Server", "服务器"))
    var server: ServerOptions

    func run() async throws {
        let client = try server.adminClient()
        let status = try await client.send(StatusCommand.call).data
        let metrics = Diagnosis.samples(try await client.text("/metrics"))
        let diagnosis = Diagnosis(status: status, metrics: metrics, now: Date().timeIntervalSince1970) { name in
            let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            return text.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        var findings = diagnosis.findings
        if let through {
            findings += try await BalancerProbe(admin: client, balancer: server.client(of: through)).sight().findings
        }
        if server.json {
            var json = JSONWriter()
            json.object { json in
                json.key("findings")
                json.array { json in
                    for finding in findings {
                        json.object { json in
                            json.member("subject", finding.subject)
                            json.member("good", finding.isGood)
                            json.member("text", finding.text)
                        }
                    }
                }
            }
            Output.json(json.bytes)
        } else {
            for finding in findings { print(finding.line) }
        }
        if findings.contains(where: { !$0.isGood }) { throw ExitCode(1) }
    }
}
