import Push
import Testing

@testable import PostgresStore
@testable import pspctl

@Suite("What is found of the hosts of a shared store's database")
struct DatabaseSightTests {
    private static let primary = DatabaseHost.Standing(
        version: 150_018, cluster: 7, isStandby: false, isReceiving: false, position: 1 << 30, connections: 100,
        ownConnections: 97,
        usedConnections: 12, standbyNames: "ANY 1 (db2, db3)", commit: "on", clock: (ahead: 40, within: 2))

    private static let standby: DatabaseHost.Standing = {
        var standing = primary
        (standing.isStandby, standing.isReceiving, standing.standbyNames) = (true, true, "")
        return standing
    }()

    /// Of a primary db1 and its standbys db2 and db3, of which the last or the first is as it is changed.
    private func findings(
        nodes: Int? = 3, wanted: Int? = nil, unfitTables: BilingualText? = nil,
        primary change: (inout DatabaseHost.Standing) -> Void = { _ in },
        standby other: (inout DatabaseHost.Standing) -> Void = { _ in }
    ) -> [Diagnosis.Finding] {
        var (primary, standby) = (Self.primary, Self.standby)
        change(&primary)
        other(&standby)
        let answers = [("db1", primary), ("db2", Self.standby), ("db3", standby)]
        let hosts = answers.map { DatabaseHost(name: $0.0, answer: .standing($0.1)) }
        return DatabaseSight(hosts: DatabaseHosts(hosts, nodes: nodes, unfitTables: unfitTables), wantedNodes: wanted).findings
    }

    /// What is not good, as `LEVEL subject`.
    private func troubles(_ findings: [Diagnosis.Finding]) -> [String] {
        findings.filter { $0.level != .good }.map { "\($0.level.rawValue) \($0.subject)" }
    }

    @Test("a primary with two standbys has nothing to be fixed, and a line for each")
    func healthy() {
        #expect(findings().map(\.subject) == ["db1", "db2", "db3"])
        #expect(troubles(findings()) == [])
        // No node yet.
        #expect(troubles(findings(nodes: 0)) == [])
        #expect(troubles(findings(nodes: nil)) == [])
    }

    @Test("connections are judged for the nodes that live, or for as many as there will be; of each host")
    func connections() {
        #expect(
            troubles(
                findings {
                    $0.connections = 38
                } standby: {
                    $0.ownConnections = 12
                }) == [])
        #expect(troubles(findings { $0.connections = 37 }) == ["warning db1"])
        #expect(troubles(findings { $0.ownConnections = 11 }) == ["fault db1"])
        #expect(troubles(findings(standby: { $0.ownConnections = 11 })) == ["fault db3"])
        #expect(troubles(findings(wanted: 14)) == ["warning db1", "warning db2", "warning db3"])
        #expect(findings(wanted: 14)[1].text.contains("max_connections to 104"))
        #expect(troubles(findings(wanted: 25)) == ["fault db1", "fault db2", "fault db3"])
    }

    @Test("a clock that differs from the primary's is told, unless it is only known so badly")
    func clocks() {
        #expect(troubles(findings { $0.clock.ahead = 2_044 }) == [])
        #expect(troubles(findings { $0.clock.ahead = 2_045 }) == ["fault db2", "fault db3"])
        #expect(troubles(findings(standby: { $0.clock.ahead = -3_600_000 })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.clock = (ahead: -5_000, within: 4_000) })) == [])
    }

    @Test("a standby that does not follow, is far behind, or is no copy")
    func following() {
        #expect(troubles(findings(standby: { $0.isReceiving = false })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.position -= 16 << 20 })) == [])
        #expect(troubles(findings(standby: { $0.position -= 17 << 20 })) == ["warning db3"])
        #expect(troubles(findings(standby: { $0.cluster = 8 })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.version = 140_010 })) == ["fault db3"])
    }

    @Test("one takes writes: none is a fault, and so are two")
    func primaries() {
        #expect(
            troubles(
                findings {
                    $0.isStandby = true
                } standby: { _ in
                }) == ["fault db1", "fault primary"])
        let two = findings(standby: { $0.isStandby = false })
        #expect(troubles(two) == ["warning db3", "fault primary"])
        #expect(two.last?.text.contains("db1, db3") == true)
        #expect(findings(standby: { ($0.isStandby, $0.cluster) = (false, 8) }).last?.text.contains("initdb") == true)
    }

    @Test("commits that wait for no standby are to be looked at; tables that do not fit are to be made")
    func durability() {
        #expect(troubles(findings { $0.standbyNames = "" }) == ["warning db1"])
        #expect(troubles(findings { $0.commit = "local" }) == ["warning db1"])
        #expect(troubles(findings { $0.commit = "remote_apply" }) == [])
        #expect(troubles(findings(unfitTables: BilingualText("没有表", "no tables"))) == ["fault tables"])
    }

    @Test("a host that cannot be asked is told with why, and the others are judged all the same")
    func refused() {
        let hosts = [
            DatabaseHost(name: "db1", answer: .refused(BilingualText("无", "nobody listens"))),
            DatabaseHost(name: "db2", answer: .standing(Self.standby)),
        ]
        let found = DatabaseSight(hosts: DatabaseHosts(hosts, nodes: nil, unfitTables: nil)).findings
        #expect(troubles(found) == ["fault db1", "fault primary"])
        #expect(found.first?.text == "nobody listens" && found.contains { $0.subject == "db2" && $0.level == .good })
    }
}
