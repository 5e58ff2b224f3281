import FaultVFS
import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

/// What keeps the store from writing and leaves no doubt about what the disk holds: it refuses meanwhile, and goes on by itself.
@Suite("A store that cannot write for a while")
struct HindranceTests {
    private func furnished(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws -> SQLiteFixture {
        try await .onFaultyDisk(devices: ["d1", "d2"], change)
    }

    @Test("another program's write lock refuses pushes while it lasts, hinders neither devices nor readers, and loses no fact")
    func foreignLock() async throws {
        let fixture = try await furnished()
        let port = fixture.port
        let stored = try await port.push(.message(.organisation("root")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        let other = try OtherProgram(on: fixture.directory.path + "/psp.db")
        try other.execute("BEGIN IMMEDIATE")
        for _ in 0..<3 {
            guard case .unavailable = await port.append(.message(.organisation("root"))) else {
                Issue.record("stored under another's lock")
                return
            }
        }
        guard case .blocked = port.health else {
            Issue.record("\(port.health)")
            return
        }
        session.settle(rows)
        try await port.connect("d2").disconnect()
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 2)
        await #expect(throws: StoreError.unavailable(retryAfter: retryAfter)) { try await fixture.port.makeOrg("new") }
        try other.execute("ROLLBACK")
        try await eventually { port.health == .serving }
        #expect(fixture.log.all.count { $0.contains("cannot write") } == 1)
        #expect(fixture.log.all.contains { $0.contains("can write again") })
        #expect(try await port.counts(stored).delivered == 1)
        try await port.push(.message(.organisation("root")))
        #expect(try await port.tasks(TaskFilter(), after: nil, limit: 10).items.count == 2)
    }

    @Test("a lock that is let go soon is waited for, and nobody is refused")
    func shortLock() async throws {
        let fixture = try await furnished()
        let port = fixture.port
        let other = try OtherProgram(on: fixture.directory.path + "/psp.db")
        try other.execute("BEGIN IMMEDIATE")
        async let accepted = port.append(.message(.organisation("root")))
        try await eventually { fixture.waitingJobs == 0 }
        try other.execute("ROLLBACK")
        guard case .stored = await accepted else { throw UnexpectedAnswer(await accepted) }
        #expect(port.health == .serving)
    }

    /// So many pushes for a device, and what it acknowledges of them.
    private func acknowledgements(_ count: Int, of fixture: SQLiteFixture) async throws -> [Delivery] {
        let port = try #require(fixture.port as? LoopPort)
        let session = try await port.connect("d1")
        session.disconnect()
        let first = try await port.ask(.change) { decisions, now throws(SQLiteError) in
            for _ in 0..<count { _ = try decisions.pushes.append(.message(.device("d1")), at: now) }
            return decisions.log.head - UInt64(count) + 1
        }
        return (first..<first + UInt64(count)).map {
            let position = Position(raw: $0)
            return Delivery(device: session.device, position: position, settledUpTo: position, kind: .delivered)
        }
    }

    @Test("many acknowledgements at once hold the writer for few steps at a time")
    func manyFacts() async throws {
        let fixture = try await furnished { $0.tuning.steps = 256 }
        let facts = try await acknowledgements(3_000, of: fixture)
        fixture.disk.holdSyncs()
        let port = fixture.port
        async let pushed = port.append(.message(.organisation("root")))
        try await eventually { fixture.disk.heldSyncs == 1 }
        port.settle(facts)
        async let reports = port.tasks(TaskFilter(), after: nil, limit: 1_000)
        try await eventually { fixture.waitingJobs == 7 }
        fixture.disk.releaseSyncs()
        guard case .stored = await pushed else { throw UnexpectedAnswer(await pushed) }
        #expect(try await reports.items.count { $0.counts.delivered == 1 } == 999)
        #expect(try await fixture.rows("SELECT count(*) FROM counter WHERE delivered = 1") == 3_000)
        let steps = fixture.store.holdTimes.mostSteps
        #expect(steps > 256 && steps < 256 + 600, "\(steps)")
    }

    @Test("a full disk is tried with little, takes acknowledgements up to a bound, and writes them in parts when it has room")
    func boundedFacts() async throws {
        let fixture = try await furnished {
            $0.tuning.steps = 256
            $0.tuning.mostFacts = 2_000
        }
        let port = fixture.port
        let facts = try await acknowledgements(3_000, of: fixture)
        fixture.disk.fail(.write, .full)
        #expect(await port.append(.message(.organisation("root"))).isUnavailable)
        #expect(port.settle(Array(facts[..<1_900])))
        _ = try await port.device(DeviceToken(unchecked: "d1"))
        port.settle(Array(facts[1_900...]))
        try await eventually { !port.settle([]) }
        try await eventually { fixture.log.all.count { $0.contains("no more are taken") } == 1 }
        // Whoever looks, and who connects, finds what it has told.
        #expect(try await port.pendingTasks("d1").isEmpty)
        for _ in 0..<3 {
            fixture.disk.fail(.write, .full)
            try await eventually { fixture.disk.hasFailed }
        }
        fixture.disk.repair()
        try await eventually { port.health == .serving }
        #expect(port.settle([]))
        #expect(try await fixture.rows("SELECT count(*) FROM counter WHERE delivered = 1") == 3_000)
        #expect(fixture.store.holdTimes.mostSteps < 256 + 600)
        let handle = try #require(port as? LoopPort)
        // What was told before the change that failed, and nothing at the tries that followed.
        #expect(try await handle.ask { decisions, _ throws(SQLiteError) in decisions.facts.replayed } < 10)
        try await fixture.restart()
        #expect(try await fixture.port.pendingTasks("d1").isEmpty)
    }

    @Test("why devices rejected messages is kept although a kill comes when what was told is written in part")
    func rejectionsInParts() async throws {
        let count = 300
        let fixture = try await furnished { $0.tuning.steps = 100 }
        let (port, disk) = (fixture.port, fixture.disk)
        let facts = try await acknowledgements(count, of: fixture).map {
            Delivery(device: $0.device, position: $0.position, settledUpTo: $0.settledUpTo, kind: .rejected(reasonCode: 0x87))
        }
        disk.fail(.write, .full)
        #expect(await port.append(.message(.organisation("root"))).isUnavailable)
        port.settle(facts)
        // Each time some parts are written.
        var written = 5
        while port.health != .serving {
            disk.fail(.write, .full, after: written)
            try await eventually { disk.hasFailed || port.health == .serving }
            written += 5
            let left = try TemporaryDirectory()
            #expect(disk.failPower(into: left.path, keeping: 100) == 0)
            let killed = try await SQLiteFixture(in: left)
            // The device, which got them again, answers as before.
            killed.port.settle(facts)
            _ = try await killed.port.tasks(TaskFilter(), after: nil, limit: 1)
            #expect(try await killed.rows("SELECT count(*) FROM counter WHERE rejected = 1") == count)
            #expect(try await killed.rows("SELECT count(*) FROM event WHERE detail = '0x87'") == count)
        }
        disk.repair()
    }

    @Test("with no descriptor left the store writes, reads, merges and moves its log: all it needs is open")
    func descriptors() async throws {
        let fixture = try await furnished { options in
            options.tuning.mergeThreshold = 10
            options.tuning.mergePause = 5
            options.tuning.checkpointThreshold = 50
        }
        fixture.disk.fail(.open, .inputOutput)
        for _ in 0..<200 { try await fixture.port.push(.message(.organisation("root"))) }
        try await eventually {
            _ = await fixture.port.append(.message(.organisation("root")))
            return fixture.directory.size(of: "psp.db-wal") < 1_000_000 && fixture.store.tail.view.generations.count <= 2
        }
        #expect(try await fixture.port.tasks(TaskFilter(), after: nil, limit: 1_000).items.count > 200)
        #expect(try await fixture.port.pendingTasks("d1").count > 200)
        #expect(fixture.port.health == .serving)
        #expect(!fixture.disk.hasFailed)
        fixture.disk.repair()
    }

    @Test("a page that cannot be read refuses those who need it, and nobody after", arguments: 0..<4)
    func reading(after: Int) async throws {
        let fixture = try await furnished()
        let stored = try await fixture.port.push(.message(.organisation("root")))
        let session = try await fixture.port.connect("d1")
        session.settle(try await session.read())
        fixture.disk.fail(.read, .inputOutput, after: after)
        // What is in memory is not read again, but after a transaction that failed.
        fixture.store.writer.submit(
            Job(
                loop: 0, decide: { _, _ throws(SQLiteError) in throw SQLiteError(code: 7, message: "out of memory") },
                fail: { _ in nil }))
        let port = fixture.port
        let answers = await withTaskGroup(of: Accepted.self) { group in
            for _ in 0..<20 { group.addTask { await port.append(.message(.organisation("root"))) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        fixture.disk.repair()
        try await eventually { fixture.port.health == .serving }
        let lost = answers.count { if case .unavailable = $0 { true } else { false } }
        #expect(answers.allSatisfy { if case .unavailable = $0 { true } else if case .stored = $0 { true } else { false } })
        #expect(try await fixture.port.tasks(TaskFilter(), after: nil, limit: 100).items.count == 21 - lost)
        #expect(try await fixture.port.counts(stored).delivered == 1)
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 2)
    }
}
