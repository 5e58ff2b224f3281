import Push
import Testing

@testable import PostgresStore
@testable import pspctl

@Suite("What is found of the hosts of a shared store's database")
struct DatabaseSightTests {
    private static let primary = DatabaseHost.Standing(
        version: 150_018, cluster: 7, started: 1, timeline: 2, position: 1 << 32 | 0x30_0060, following: nil,
        connections: DatabaseHost.Connections(most: 100, usable: 97, ofRole: nil, ofDatabase: nil, used: 12, own: 12),
        onlyReads: false, standbyNames: "ANY 1 (db2, db3)", commit: "on", waitsForStandby: false, isWithoutSync: nil, readers: 2,
        clock: (ahead: 40, within: 2))

    private static let standby: DatabaseHost.Standing = {
        var standing = primary
        (standing.started, standing.timeline, standing.readers, standing.standbyNames) = (2, 0, 0, "ANY 1 (db1, db3)")
        standing.following = DatabaseHost.Following(isConnected: true)
        (standing.connections.used, standing.connections.own) = (1, 1)
        return standing
    }()

    /// Of a primary db1 and its standbys db2 and db3, of which the last or the first is as it is changed.
    private func findings(
        nodes: Int? = 3, wanted: Int? = nil, unfitTables: BilingualText? = nil,
        primary change: (inout DatabaseHost.Standing) -> Void = { _ in },
        standby other: (inout DatabaseHost.Standing) -> Void = { _ in }
    ) -> [Diagnosis.Finding] {
        var (primary, standby) = (Self.primary, Self.standby)
        standby.started = 3
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

    private func text(_ findings: [Diagnosis.Finding], of subject: String) -> String {
        findings.last { $0.subject == subject }?.text ?? ""
    }

    @Test("a primary with two standbys has nothing to be fixed, and a line for each")
    func healthy() {
        #expect(findings().map(\.subject) == ["db1", "db2", "db3", "database's nodes"])
        #expect(troubles(findings()) == [])
        // Whoever says for how many nodes knows it.
        #expect(findings(nodes: 0, wanted: 3).map(\.subject) == ["db1", "db2", "db3"])
    }

    @Test("for how many nodes it is judged is told, and where that is a guess it is to be looked at")
    func nodes() {
        #expect(text(findings(), of: "database's nodes") == "3 live")
        #expect(troubles(findings(nodes: 0)) == ["warning database's nodes"])
        #expect(troubles(findings(nodes: nil)) == ["warning database's nodes"])
    }

    @Test("connections are judged for the nodes that live, or for as many as there will be; of each server")
    func connections() {
        #expect(
            troubles(
                findings {
                    $0.connections.most = 38
                } standby: {
                    $0.connections.usable = 12
                }) == [])
        #expect(troubles(findings { $0.connections.most = 37 }) == ["warning db1"])
        #expect(troubles(findings(standby: { $0.connections.usable = 11 })) == ["fault db3"])
        #expect(troubles(findings(wanted: 14)) == ["warning db1", "warning db2", "warning db3"])
        #expect(text(findings(wanted: 14), of: "db2").contains("max_connections to 104"))
        #expect(troubles(findings(wanted: 25)) == ["fault db1", "fault db2", "fault db3"])
    }

    @Test("the limit of the role or the database is named, and where it is changed; max_connections is left out of it")
    func limits() {
        #expect(troubles(findings { $0.connections.ofRole = 38 }) == [])
        #expect(troubles(findings { $0.connections.ofRole = 37 }) == ["warning db1"])
        let low = findings {
            ($0.connections.ofRole, $0.connections.ofDatabase) = (11, 10)
        } standby: {
            $0.connections.ofRole = 11
        }
        #expect(troubles(low) == ["fault db1"])
        #expect(
            text(low, of: "db1")
                == "the database's CONNECTION LIMIT is 10, and 3 nodes hold 12: ALTER DATABASE … CONNECTION LIMIT 38")
        #expect(text(findings { $0.connections.ofRole = 5 }, of: "db1").contains("ALTER ROLE … CONNECTION LIMIT 38"))
    }

    @Test("connections that others have are missing; those of the nodes themselves are not")
    func occupied() {
        #expect(troubles(findings { $0.connections.used = 97 }) == [])
        #expect(troubles(findings { ($0.connections.used, $0.connections.own) = (97, 11) }) == ["fault db1"])
        #expect(troubles(findings { ($0.connections.used, $0.connections.own) = (85, 0) }) == [])
        #expect(troubles(findings { ($0.connections.used, $0.connections.own) = (86, 0) }) == ["fault db1"])
        #expect(troubles(findings(standby: { ($0.connections.used, $0.connections.own) = (87, 1) })) == ["fault db3"])
    }

    @Test("a clock that differs from the primary's is told, unless it is only known so badly")
    func clocks() {
        #expect(troubles(findings { $0.clock.ahead = 2_044 }) == [])
        #expect(troubles(findings { $0.clock.ahead = 2_045 }) == ["fault db2", "fault db3"])
        #expect(troubles(findings(standby: { $0.clock.ahead = -3_600_000 })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.clock = (ahead: -5_000, within: 4_000) })) == [])
    }

    @Test("a standby that is connected to nobody, lacks what the primary has, has what it has not, or is no copy")
    func following() {
        #expect(troubles(findings(standby: { $0.following?.isConnected = false })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.following?.isAhead = true })) == ["fault db3"])
        let stuck = findings(standby: { $0.following?.missing = 5 << 10 })
        #expect(troubles(stuck) == ["fault db3"] && text(stuck, of: "db3").contains("(5 KiB behind)"))
        #expect(
            troubles(findings(standby: { $0.following = DatabaseHost.Following(isConnected: false, missing: 9, isMoving: true) }))
                == ["warning db3"], "from an archive")
        #expect(troubles(findings { $0.readers = 1 }) == ["warning database's primary"], "one has somebody else")
        #expect(troubles(findings { $0.readers = nil }) == [], "who knows")
        // In a row.
        #expect(
            troubles(
                findings {
                    $0.readers = 1
                } standby: {
                    $0.readers = 1
                }) == [])
        let slow = findings(standby: {
            $0.following = DatabaseHost.Following(isConnected: true, missing: 50 << 20, isMoving: true)
        })
        #expect(troubles(slow) == ["warning db3"] && text(slow, of: "db3").contains("50 MiB behind"))
        #expect(troubles(findings(standby: { $0.cluster = 8 })) == ["fault db3"])
        #expect(troubles(findings(standby: { $0.version = 140_010 })) == ["fault db3"])
    }

    @Test(
        "where none takes writes it is told what to do and which standby has most, and standbys are compared all the same"
    )
    func noPrimary() {
        let former: (inout DatabaseHost.Standing) -> Void = { $0.following = DatabaseHost.Following(isConnected: false) }
        let lost = findings(nodes: nil, wanted: 3, primary: former) {
            former(&$0)
            ($0.position, $0.clock.ahead) = (1 << 32 | 0x30_0070, 9_000_000)
        }
        #expect(text(lost, of: "database's primary").contains("that the address does not name"), "db2 has a connection")
        #expect(troubles(lost) == ["fault db1", "fault db3", "fault db3", "fault database's primary"])
        #expect(text(lost, of: "db3").contains("ahead of that of this machine"))
        #expect(
            text(findings(primary: { $0.following = DatabaseHost.Following(isConnected: true) }), of: "db2").contains(
                "up to 1/300060"))
    }

    @Test("two that take writes: by the timeline the superseded one is named; one that was made by itself is told as such")
    func twoPrimaries() {
        let two = findings(standby: { ($0.following, $0.timeline) = (nil, 3) })
        #expect(troubles(two) == ["fault database's primary"])
        #expect(text(two, of: "database's primary").contains("superseded (by its timeline db1)"))
        let unknown = findings(standby: { ($0.following, $0.timeline) = (nil, 2) })
        #expect(text(unknown, of: "database's primary").contains("superseded, and"))
        let strange = findings(standby: { ($0.following, $0.cluster) = (nil, 8) })
        #expect(text(strange, of: "database's primary").contains("initdb"))
    }

    @Test("a server that the address names twice is one primary")
    func namedTwice() {
        let twice = findings(standby: { $0 = Self.primary })
        #expect(troubles(twice) == ["warning database's address"])
        #expect(text(twice, of: "database's address").contains("db1 and db3 are the same server"))
    }

    @Test(
        "commits that wait for no standby, or would after a promotion, are to be looked at; those that none confirms, fixed"
    )
    func durability() {
        #expect(troubles(findings { $0.standbyNames = "" }) == ["warning db1"])
        #expect(troubles(findings { $0.commit = "local" }) == ["warning db1"])
        #expect(troubles(findings { $0.commit = "remote_apply" }) == [])
        #expect(troubles(findings(standby: { $0.standbyNames = "" })) == ["warning db3"])
        #expect(
            troubles(
                findings {
                    $0.standbyNames = ""
                } standby: {
                    $0.standbyNames = ""
                }) == ["warning db1"])
        #expect(troubles(findings { $0.waitsForStandby = true }) == ["fault db1"])
        #expect(troubles(findings { $0.isWithoutSync = true }) == ["warning db1"])
        #expect(troubles(findings { $0.isWithoutSync = false }) == [])
    }

    @Test("a primary whose sessions only read is none for a node")
    func onlyReading() {
        #expect(troubles(findings { $0.onlyReads = true }) == ["fault db1"])
        #expect(troubles(findings(standby: { $0.onlyReads = true })) == [])
    }

    @Test("tables that do not fit are to be made")
    func tables() {
        #expect(troubles(findings(unfitTables: BilingualText("没有表", "no tables"))) == ["fault database's tables"])
    }

    @Test("a host that cannot be asked is told with why, and the others are judged all the same")
    func refused() {
        func troubles(_ cause: DatabaseHost.Refusal.Cause) -> [String] {
            let refusal = DatabaseHost.Refusal(text: BilingualText("无", "refused"), cause: cause)
            let hosts = [
                DatabaseHost(name: "db1", answer: .refused(refusal)), DatabaseHost(name: "db2", answer: .standing(Self.standby)),
            ]
            return DatabaseSight(hosts: DatabaseHosts(hosts, nodes: nil, unfitTables: nil), wantedNodes: 1).findings
                .filter { $0.level != .good }.map(\.line)
        }
        // It may be the primary: nothing is said of there being none.
        #expect(troubles(.other) == ["FIX   db1: refused"])
        #expect(troubles(.access) == ["FIX   db1: refused; or make it a standby first (pg_basebackup)"])
    }
}
