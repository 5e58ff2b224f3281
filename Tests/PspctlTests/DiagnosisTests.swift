import JSON
import Testing

@testable import pspctl

@Suite("What pspctl doctor finds")
struct DiagnosisTests {
    private let healthy: [String: Double] = [
        "process_open_fds": 100, "process_max_fds": 100_000, "psp_store_disk_free_bytes": 1e11, "psp_store_database_bytes": 1e9,
        "psp_store_log_bytes": 1e8, "psp_clock_offset_seconds": -100, "psp_clock_synchronised": 1,
        "psp_tls_certificate_expiry_timestamp_seconds": 15 * 86_400,
    ]

    private func findings(
        _ change: (inout [String: Double]) -> Void = { _ in }, state: String = "ready", devices: Int = 0, kernel: Double = 1e9
    ) throws -> [Diagnosis.Finding] {
        var metrics = healthy
        change(&metrics)
        let status = try JSONDocument(
            parsing: Array(#"{"state":"\#(state)","loops":[{},{}],"connections":{"callers":50}}"#.utf8)
        ).root
        return Diagnosis(status: status, metrics: metrics, devices: devices, now: 0) { _ in kernel }.findings
    }

    private func toFix(_ change: (inout [String: Double]) -> Void = { _ in }, state: String = "ready") throws -> [String] {
        try findings(change, state: state).filter { $0.level == .fault }.map(\.subject)
    }

    @Test("a healthy server on a prepared machine has nothing to be fixed, and each fault is told")
    func faults() throws {
        #expect(try findings(devices: 80_000).allSatisfy { $0.level == .good })
        #expect(try toFix(state: "disk_full").count == 1)
        #expect(try toFix { $0["process_open_fds"] = 95_000 }.count == 1)
        #expect(try toFix { $0["psp_store_disk_free_bytes"] = 2e9 }.count == 1)
        #expect(try toFix { $0["psp_store_database_bytes"] = 2e11 }.count == 1)
        #expect(try toFix { $0["psp_store_log_bytes"] = 6e8 } == ["psp.db-wal"])
        #expect(try toFix { $0["psp_clock_offset_seconds"] = 6 }.count == 1)
        #expect(try toFix { $0["psp_clock_synchronised"] = 0 } == ["NTP"])
        #expect(try toFix { $0["psp_tls_certificate_expiry_timestamp_seconds"] = 13 * 86_400 }.count == 1)
        // What is not told is not judged.
        #expect(try toFix { $0 = ["psp_clock_offset_seconds": 0] } == [])
    }

    @Test(
        "a server that is not ready is told with why and what to do, and what can be judged is; so are functions of another build"
    )
    func unready() throws {
        func findings(_ members: String) throws -> [Diagnosis.Finding] {
            let status = try JSONDocument(parsing: "{\(members)}").root
            return Diagnosis(status: status, metrics: healthy, now: 0) { _ in 1e9 }.findings
        }
        let unready =
            #""state":"unreachable","detail":"the database has no schema","remedy":"pspctl store migrate postgres://db","#
        let found = try findings(unready + #""shared":{"lease":0,"lag":0}"#)
        #expect(
            found[0].text == "unreachable (the database has no schema): pushes are not taken; pspctl store migrate postgres://db")
        #expect(found.filter { $0.level == .fault }.map(\.subject) == ["state", "lease"] && found.count > 8)
        let ready = try findings(#""state":"ready","shared":{"lease":2900,"lag":0,"foreign_functions":true}"#)
        #expect(ready.filter { $0.level != .good }.map(\.subject) == ["database's functions"])
        let alone = try findings(#""state":"ready","shared":{"lease":2900,"lag":0,"without_standby":true}"#)
        #expect(alone.filter { $0.level == .warning }.map(\.subject) == ["database's standby"])
        #expect(try findings(#""state":"ready","shared":{"lease":2900,"lag":0}"#).allSatisfy { $0.level == .good })
        let chinese = try Speech.$language.withValue(.chinese) {
            try findings(#""state":"unreachable","detail":"数据库中没有推送服务器的表","remedy":"请执行 pspctl store migrate""#)
        }
        #expect(chinese[0].subject == "state", "a script finds it in any language")
        let line = Speech.$language.withValue(.chinese) { chinese[0].line }
        #expect(line.contains("状态："))
        #expect(chinese[0].text == "无法连接（unreachable）（数据库中没有推送服务器的表）：不接受推送；请执行 pspctl store migrate")
    }

    @Test(
        "open files are judged by the number of devices, and what the sizing table names is enough",
        arguments: [
            (0, 1_024.0, Diagnosis.Level.good), (5_000, 8_192, .good), (20_000, 32_768, .good), (100_000, 131_072, .good),
            (5_000, 4_096, .warning), (20_000, 20_000, .warning), (5_000, 1_024, .fault), (100_000, 32_768, .fault),
        ])
    func openFiles(devices: Int, most: Double, level: Diagnosis.Level) throws {
        let found = try findings({ $0["process_max_fds"] = most }, devices: devices).first { $0.subject == "descriptors" }
        #expect(found?.level == level, "\(found?.text ?? "")")
        #expect(level == .good || found?.text.contains("\(devices) devices need") == true)
    }

    @Test(
        "the kernel's own values do for some ten thousand devices",
        arguments: [(0, Diagnosis.Level.good), (10_000, .good), (10_001, .warning), (49_999, .warning), (50_000, .fault)])
    func kernel(devices: Int, level: Diagnosis.Level) throws {
        let found = try findings(devices: devices, kernel: 1_024)
        for name in ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"] {
            #expect(found.first { $0.subject == name }?.level == level)
        }
        #expect(found.first { $0.subject == "fs.file-max" }?.level == (devices == 0 ? .good : .fault))
    }

    /// Subjects of what a balancer should be changed in.
    private func toFix(through change: (inout BalancerSight) -> Void) -> [String] {
        var sight = BalancerSight(
            balancer: ["192.0.2.1"], own: ["192.0.2.9", "127.0.0.1"], readiness: 200, client: "192.0.2.9", requestID: "doctor",
            seenID: "doctor", closes: false, largeBody: 500, isLargeAnswered: true, idleSeconds: 75)
        change(&sight)
        return sight.findings.filter { $0.level == .fault }.map(\.subject)
    }

    @Test("a balancer that tells who calls has nothing to be fixed, and each fault is told")
    func balancer() {
        #expect(toFix { _ in } == [])
        #expect(toFix { $0.readiness = 503 } == ["through the balancer"])
        for client in [nil, "192.0.2.1", BalancerProbe.forged] { #expect(toFix { $0.client = client } == ["client's address"]) }
        #expect(toFix { $0.seenID = "other" } == [])
        #expect(toFix { $0.closes = true } == ["keep-alive"])
        #expect(toFix { ($0.largeBody, $0.isLargeAnswered) = (413, false) } == ["largest body"])
        #expect(toFix { ($0.largeBody, $0.isLargeAnswered, $0.idleSeconds) = (nil, nil, nil) } == ["largest body"])
    }

    @Test("what cannot be told from here is to be looked at, and is told with what to do")
    func unclear() {
        var sight = BalancerSight(
            balancer: ["192.0.2.1"], own: ["192.0.2.9"], readiness: 200, client: "192.0.2.77", requestID: "doctor", closes: false)
        func address() -> Diagnosis.Finding? { sight.findings.first { $0.subject == "client's address" } }
        #expect(address()?.level == .warning && address()?.text.contains("--forwarded-from 192.0.2.77") == true)
        (sight.client, sight.balancer) = ("192.0.2.9", ["192.0.2.9"])
        #expect(address()?.level == .warning && address()?.text.contains("another machine") == true)
    }

    @Test("a body that is too large for the server itself does not count as one that passes")
    func bodyTooLargeForServer() {
        let sight = BalancerSight(
            balancer: [], own: [], readiness: 200, requestID: "doctor", closes: false, largeBody: 413, isLargeAnswered: true,
            largeMessage: "16384 bytes at most")
        let body = sight.findings.first { $0.subject == "largest body" }
        #expect(body?.level == .good && body?.text == "the server itself takes no 64 KiB: 16384 bytes at most")
    }

    @Test("samples without labels are read")
    func samples() {
        let text = "# HELP a A.\n# TYPE a gauge\na 1\nb{loop=\"0\"} 2\nc 1.5e+3\n"
        #expect(Diagnosis.samples(text) == ["a": 1, "c": 1_500])
    }

    @Test("top tells what was counted between two looks, a second")
    func top() throws {
        func status(_ pushes: Int, _ uptime: Int) throws -> JSONValue {
            try JSONDocument(
                parsing: Array(
                    #"{"state":"ready","uptime":\#(uptime),"pushes":{"total":\#(pushes)},"connections":{"devices":3}}"#
                        .utf8)
            ).root
        }
        let line = TopCommand.line(from: try status(10, 1_000), to: try status(30, 3_000)).split(separator: " ")
        #expect(line[0] == "ready" && line[1] == "10" && line[7] == "3")
        #expect(TopCommand.line(from: try status(30, 3_000), to: try status(0, 4_000)).split(separator: " ")[1] == "-")
    }
}
