import Base
import FaultVFS
import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

/// What is of this store's own about the audit log: what it does while it cannot write, its bounds, its indexes.
@Suite("The audit log in the file")
struct AuditTests {
    private func entry(_ number: Int) -> AuditEntry {
        AuditEntry(OperatorCall(.installation, client: nil, requestID: "r-\(number)"), .taskList)
    }

    private func entries(_ port: any StorePort, _ filter: AuditFilter = AuditFilter()) async throws -> [AuditRecord] {
        try await port.all { after throws(StoreError) in
            try await port.audit(filter, after: after, limit: 1_000, by: .installation)
        }
    }

    @Test(
        "what is recorded while nothing can be written waits for it, as far as there is room; an entry tells how many are missing"
    )
    func hindered() async throws {
        let fixture = try await SQLiteFixture()
        let port = fixture.port
        let before = fixture.store.status.audit
        let other = try OtherProgram(on: fixture.directory.path + "/psp.db")
        try other.execute("BEGIN IMMEDIATE")
        let most = 4_096
        for number in 0..<most + 5 { port.record(entry(number)) }
        await #expect(throws: StoreError.unavailable(retryAfter: retryAfter)) { try await port.makeOrg("new") }
        try other.execute("ROLLBACK")
        try await eventually { fixture.store.status.audit.entries > before.entries }
        let found = try await entries(port)
        #expect(found.first?.entry == .lost(5))
        #expect(found.dropFirst().first?.entry.requestID == "r-\(most - 1)")
        #expect(found.count == most + 1)
        #expect(fixture.store.status.audit.lost == 5)
        // Told once.
        port.record(entry(0))
        #expect(try await entries(port).count { $0.entry.action == .auditLost } == 1)
    }

    @Test("an entry that can never be written is told of as missing, by an entry and by the figure, and holds nothing up")
    func poisoned() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.edit(
            """
            CREATE TRIGGER poison BEFORE INSERT ON audit WHEN NEW.request_id = 'r-1' BEGIN SELECT RAISE(ABORT, 'poison'); END
            """)
        let port = fixture.port
        for number in 0..<3 { port.record(entry(number)) }
        try await port.makeOrg("new")
        let found = try await entries(port).prefix(4).map(\.entry)
        #expect(found.dropFirst() == [.lost(1), entry(2), entry(0)])
        #expect(fixture.store.status.audit.lost == 1)
        // Where none can be written, the store goes on, and tells later.
        try await fixture.edit(
            """
            DROP TRIGGER poison;
            CREATE TRIGGER poison BEFORE INSERT ON audit WHEN NEW.caller <> 'installation' OR NEW.request_id LIKE 'r-%'
            BEGIN SELECT RAISE(ABORT, 'poison'); END
            """)
        for number in 0..<3 { fixture.port.record(entry(number)) }
        try await fixture.port.makeOrg("next")
        #expect(fixture.store.status.audit.lost == 3)
        try OtherProgram(on: fixture.directory.path + "/psp.db").execute("DROP TRIGGER poison")
        try await fixture.port.makeOrg("last")
        #expect(try await entries(fixture.port).contains { $0.entry == .lost(3) })
    }

    @Test("a change that cannot be written leaves no entry, and one that is tried again leaves one")
    func undone() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk()
        let port = fixture.port
        let before = try await entries(port).count
        port.record(entry(1))
        fixture.disk.fail(.write, .full)
        await #expect(throws: StoreError.self) { try await port.makeOrg("new") }
        fixture.disk.repair()
        try await eventually { port.health == .serving }
        try await port.makeOrg("new")
        let found = try await entries(port)
        #expect(found.count == before + 2)
        #expect(found.first?.entry.target?.id == "new")
        #expect(found.dropFirst().first?.entry == entry(1))
    }

    @Test("refusals that found no room are told at the latest when the store ends")
    func refusals() async throws {
        let fixture = try await SQLiteFixture()
        for number in 0..<AuditThrottle.mostOfMinute + 2 {
            _ = try? await fixture.port.cancel(TaskID("none-\(number)"), by: .installation)
        }
        #expect(try await entries(fixture.port).count == AuditThrottle.mostOfMinute)
        fixture.close()
        try await fixture.open(fixture.directory.path)
        #expect(try await entries(fixture.port).first?.entry == .lost(2))
    }

    @Test("who is confined sees what was done to a task by where its device was when it was accepted")
    func tasks() async throws {
        let fixture = try await SQLiteFixture()
        let port = fixture.port
        try await port.makeApp("app")
        for org in ["east", "west"] { try await port.makeOrg(org) }
        try await port.makeDevice("d1", in: "east")
        let task = try await port.push(.message(.device("d1")))
        var move = DeviceChange()
        move.organisation = OrgID(unchecked: "west")
        _ = try await port.apply(.putDevice(DeviceToken(unchecked: "d1"), move, secretIfNew: "s"), by: .installation)
        _ = try await port.cancel(task, by: .installation)
        func seen(in org: String) async throws -> [AuditAction] {
            let authority = Authority(.viewer, in: OrgID(unchecked: org))
            let call = OperatorCall(
                .named(OperatorIdentity(OperatorNumber(1), OperatorName(unchecked: "eva")), authority), client: nil,
                requestID: "r")
            return try await port.audit(AuditFilter(), after: nil, limit: 100, by: call).items.map(\.entry.action)
        }
        #expect(try await seen(in: "east").first == .taskCancel)
        #expect(try await !seen(in: "west").contains(.taskCancel))
    }

    @Test("a window of time finds its entries, wherever the wall clock has jumped meanwhile")
    func steps() async throws {
        let fixture = try await SQLiteFixture()
        let port = fixture.port
        var shown: [Int64] = []
        for (number, step) in [0, 3_600_000, -7_200_000, 86_400_000, 0].enumerated() {
            fixture.clock.step(by: Int64(step))
            // The step is noted.
            try await port.makeOrg("o\(number)")
            port.record(entry(number))
            shown.append(try #require(try await entries(port).first).time)
            fixture.clock.advance(by: 60_000)
        }
        for (number, time) in shown.enumerated() {
            var filter = AuditFilter()
            (filter.from, filter.to, filter.action) = (time, time + 1, .taskList)
            #expect(try await entries(port, filter).map(\.entry) == [entry(number)])
        }
    }

    @Test("of a day only so many refusals are told apart")
    func day() async throws {
        let fixture = try await SQLiteFixture()
        let port = fixture.port
        let day = port.clock.now / 86_400_000 * 1_440
        for minute in 0..<22 {
            try await port.count(
                (0..<1_000).map { number in
                    RefusalCount(
                        .init(.callers, name: "a", client: IPAddress(v4: UInt32(number)), code: 2005),
                        minute: day + Int64(minute), count: 1)
                })
        }
        #expect(try await fixture.rows("SELECT count(*) FROM refusal WHERE code > 0") == Int64(RefusalTable.mostOfDay))
        #expect(try await fixture.rows("SELECT sum(count) FROM refusal WHERE code = 0") == 12_000)
        #expect(fixture.store.status.audit.refusals == 22_000)
    }

    @Test("a page looks at so many entries only, and goes on from there")
    func pages() async throws {
        let fixture = try await SQLiteFixture()
        // Of now: older ones are forgotten.
        let now = fixture.port.clock.now
        try await fixture.edit(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
            INSERT INTO audit(at, ahead, caller, action, target, kind, code)
            SELECT \(now) + i, 0, 'installation', 'device.read', iif(i = 1, 'rare', 'd' || i), 'device', 0 FROM n
            """)
        var filter = AuditFilter()
        filter.code = 1
        let first = try await fixture.port.audit(filter, after: nil, limit: 10, by: .installation)
        #expect(first.items.isEmpty && first.next != nil)
        filter.code = 0
        filter.target = "rare"
        // By its index at once.
        #expect(try await fixture.port.audit(filter, after: nil, limit: 10, by: .installation).items.count == 1)
    }
}
