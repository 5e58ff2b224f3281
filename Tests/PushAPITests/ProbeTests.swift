import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Probes, on both listeners and without credentials")
struct ProbeTests {
    private func probe(_ served: Served, _ target: String, method: String = "GET") throws -> (
        callers: HTTPReply, operators: HTTPReply
    ) {
        let call = Call(method: method, target: target)
        return (try served.send(call), try served.operate(call))
    }

    @Test("alive always, ready while the store takes changes", arguments: ["GET", "HEAD"])
    func statuses(method: String) async throws {
        try await Served.with { served in
            for health in [Health.serving, .full, .failed(reason: BilingualText("读写错误", "fsync: EIO"))] {
                served.store.rewrite { $0.health = health }
                for target in ["/healthz", "/"] {
                    let (callers, operators) = try probe(served, target, method: method)
                    #expect(callers.status == 200 && operators.status == 200)
                }
                let (callers, operators) = try probe(served, "/readyz", method: method)
                #expect([callers.status, operators.status] == (health == .serving ? [200, 200] : [503, 503]))
            }
            // A balancer asks every second: it is not for the log.
            #expect(served.log.lines.isEmpty)
        }
    }

    @Test(
        "why it is not ready, the operators' listener tells and the callers' does not",
        arguments: [
            (Health.full, #""cause":"disk_full""#, #""cause":"disk_full""#),
            (
                .blocked(reason: BilingualText("被锁定", "locked")), #""cause":"blocked","detail":"locked""#,
                #""cause":"blocked","detail":"被锁定""#
            ),
            (
                .unreachable(reason: BilingualText("没有表", "no tables"), remedy: BilingualText("请建立", "make them")),
                #""cause":"unreachable","detail":"no tables","remedy":"make them""#,
                #""cause":"unreachable","detail":"没有表","remedy":"请建立""#
            ),
            (
                .failed(reason: BilingualText(quoting: "fsync: EIO", of: "SQLite")), #""cause":"failed","detail":"fsync: EIO""#,
                #""cause":"failed","detail":"SQLite 报告“fsync: EIO”""#
            ), (.behind, #""cause":"behind""#, #""cause":"behind""#),
        ])
    func causes(health: Health, members: String, chinese: String) async throws {
        try await Served.with { served in
            served.store.rewrite { $0.health = health }
            let (callers, operators) = try probe(served, "/readyz")
            expect(callers, 2302, status: 503)
            expect(operators, 2302, status: 503)
            #expect(operators.text.hasSuffix(",\(chinese)}}"))
            let english = try served.operate(Call(method: "GET", target: "/readyz").with("Accept-Language", "en"))
            #expect(english.text.hasSuffix(",\(members)}}"))
            #expect(!callers.text.contains("cause") && !callers.text.contains("EIO"))
            #expect(callers.headers["retry-after"] == "1")
        }
    }

    @Test("a server that ends is alive and not ready")
    func draining() async throws {
        try await Served.with { served in
            await served.admin.announceEnd()
            let ready = try served.operate(Call(method: "GET", target: "/readyz"))
            expect(ready, 2302, status: 503)
            #expect(ready.text.hasSuffix(#","cause":"draining"}}"#))
            #expect(ready.text.contains(#""error_msg":"服务器正在停止""#))
            expectSuccess(try served.operate(Call(method: "GET", target: "/healthz")))
        }
    }

    @Test("the description for tools is served as it stands in the documents")
    func description() async throws {
        try await Served.with { served in
            let (callers, operators) = try probe(served, "/psp/openapi.yaml")
            for reply in [callers, operators] {
                #expect(reply.status == 200)
                #expect(reply.headers["content-type"] == "application/yaml")
                #expect(reply.text.contains("\nopenapi: 3.1.0\n"))
            }
        }
    }
}
