import FaultVFS
import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

@Suite("A disk that fails")
struct FaultTests {
    private func furnished(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws -> SQLiteFixture {
        try await .onFaultyDisk(devices: ["d1", "d2"], change)
    }

    @Test("while the disk holds a sync, no push is answered and none reaches the feed")
    func heldSync() async throws {
        let fixture = try await furnished()
        _ = fixture.loop.takeEntries()
        let jobs = fixture.loop.jobs
        fixture.disk.holdSyncs()
        let port = fixture.port
        async let first = port.append(.message(.organisation("root")))
        try await eventually { fixture.disk.heldSyncs == 1 }
        async let second = port.append(.message(.organisation("root")))
        async let third = port.settle([])
        _ = await third
        // Readers go on meanwhile, and see nothing of it.
        let handle = try #require(port as? LoopPort)
        let head = try await handle.read(handle.store.pages) { context throws(SQLiteError) in
            (context.tail.view.head, try context.database.number("SELECT count(*) FROM message"))
        }
        #expect(head.1 == 0)
        #expect(fixture.loop.jobs == jobs + 1, "the read's answer and nothing else")
        #expect(fixture.loop.takeEntries().isEmpty)
        fixture.disk.releaseSyncs()
        for accepted in [await first, await second] {
            guard case .stored = accepted else {
                Issue.record("\(accepted)")
                continue
            }
        }
        let rows = fixture.loop.takeEntries().count { if case .row = $0 { true } else { false } }
        #expect(rows == 2)
    }

    @Test(
        "a full disk refuses everybody who waits, shows nothing of the batch, and heals",
        arguments: [FaultyDisk.Operation.write, .growth], 0..<4)
    func full(_ operation: FaultyDisk.Operation, after: Int) async throws {
        let fixture = try await furnished()
        let stored = try await fixture.port.push(.message(.organisation("root")))
        let session = try await fixture.port.connect("d1")
        let rows = try await session.read()
        _ = fixture.loop.takeEntries()

        fixture.disk.fail(operation, .full, after: after)
        let port = fixture.port
        // What is told while the disk is full is not lost.
        session.settle(rows)
        let answers = await pushUntilFailure(port, fixture.disk)
        let lost = answers.values.count { if case .unavailable = $0 { true } else { false } }
        #expect(lost > 0)
        #expect(
            answers.values.allSatisfy { if case .unavailable = $0 { true } else if case .stored = $0 { true } else { false } })
        let told = fixture.loop.takeEntries().count { if case .row = $0 { true } else { false } }
        #expect(told == answers.count - lost, "what was refused reached the feed")
        #expect(port.health == .full)

        fixture.disk.repair()
        try await eventually { port.health == .serving }
        #expect(fixture.log.all.contains { $0.contains("can write again") })
        // Nothing of what was refused is used up, and positions and counters go on.
        for number in answers.keys { _ = await port.append(Self.numbered(number)) }
        let tasks = try await port.tasks(TaskFilter(), after: nil, limit: 1_000)
        #expect(tasks.items.count == answers.count + 1)
        #expect(tasks.items.allSatisfy { $0.counts.targeted == 2 })
        #expect(try await fixture.port.counts(stored).delivered == 1)
        #expect(try await fixture.port.pendingTasks("d2").count == answers.count + 1)
        session.disconnect()
        try await fixture.restart()
        #expect(try await fixture.port.pendingTasks("d1").count == answers.count)
        #expect(try await fixture.port.counts(stored).delivered == 1)
    }

    @Test("a full disk refuses changes of the directory and imports whole, and the tree's counters stay right")
    func fullDirectory() async throws {
        let fixture = try await furnished()
        fixture.disk.fail(.write, .full)
        let port = fixture.port
        // Whoever only looks is answered, with what was told meanwhile not yet written.
        async let organisation = port.organisation(OrgID(unchecked: "root"))
        async let tasks = port.tasks(TaskFilter(), after: nil, limit: 10)
        async let pushed = port.append(.message(.organisation("root")))
        async let imported = refusal { _ = try await port.importLines([.deviceLine("x1", in: "root")]) }
        await #expect(throws: StoreError.self) { try await fixture.port.makeDevice("d3", in: "root") }
        await #expect(throws: StoreError.self) { try await fixture.port.makeOrg("new") }
        await #expect(throws: StoreError.self) { try await fixture.port.change("d1") { $0.user = .set(UserID(unchecked: "u")) } }
        #expect(await imported == .unavailable(retryAfter: retryAfter))
        guard case .unavailable = await pushed else {
            Issue.record("stored on a full disk")
            return
        }
        #expect(try await organisation.devices == 2)
        #expect(try await tasks.items.isEmpty)
        #expect(port.health == .full)
        #expect(try await port.device(DeviceToken(unchecked: "d1")).token.text == "d1")
        fixture.disk.repair()
        try await eventually { port.health == .serving }
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 2)
        await #expect(throws: StoreError.refused(Refusal(.noSuchOrganisation, field: "org_id"))) {
            _ = try await port.organisation(OrgID(unchecked: "new"))
        }
        #expect(try await port.device(DeviceToken(unchecked: "d1")).user == nil)
        let task = try await fixture.port.push(.message(.organisation("root")))
        #expect(try await fixture.port.counts(task).targeted == 2)
        #expect(try await port.importLines([.deviceLine("x1", in: "root")]).tally.created == 1)
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 3)
    }

    @Test("a device's move that a full disk refuses leaves the organisations' counts of who is online as they were")
    func refusedMove() async throws {
        let fixture = try await furnished()
        let port = fixture.port
        try await port.makeOrg("other")
        let session = try await port.connect("d1")
        fixture.disk.fail(.write, .full)
        await #expect(throws: StoreError.self) { try await port.move("d1", to: "other") }
        await #expect(throws: StoreError.self) { try await port.removeDevice("d1") }
        await #expect(throws: StoreError.self) { try await port.makeOrg("new", under: "root") }
        fixture.disk.repair()
        try await eventually { port.health == .serving }
        for (org, count) in [("root", 1), ("other", 0)] {
            #expect(try await port.organisation(OrgID(unchecked: org)).online == count)
        }
        await #expect(throws: StoreError.self) { _ = try await port.organisation(OrgID(unchecked: "new")) }
        try await port.move("d1", to: "other")
        session.disconnect()
        _ = try await port.device(DeviceToken(unchecked: "d1"))
        for org in ["root", "other"] { #expect(try await port.organisation(OrgID(unchecked: org)).online == 0) }
    }

    @Test("facts that wait behind a change that fails are not lost")
    func factsBehindAFailure() async throws {
        let fixture = try await furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        let session = try await fixture.port.connect("d1")
        let rows = try await session.read()
        _ = try await fixture.port.counts(task)
        let port = fixture.port
        // A batch collects while a sync is held: its first job fails, the facts come after it, and an import that was not begun.
        fixture.disk.holdSyncs()
        async let held = port.append(.message(.organisation("root")))
        try await eventually { fixture.disk.heldSyncs == 1 }
        fixture.store.writer.submit(
            Job(loop: 0, decide: { _, _ throws(SQLiteError) in throw SQLiteError(code: 13, message: "full") }, fail: { _ in nil })
        )
        session.settle(rows)
        session.disconnect()
        async let imported = refusal { _ = try await port.importLines([.deviceLine("x", in: "root")]) }
        try await eventually { fixture.waitingJobs == 5 }
        fixture.disk.releaseSyncs()
        guard case .stored = await held else { throw UnexpectedAnswer(await held) }
        #expect(await imported == .unavailable(retryAfter: retryAfter))
        fixture.disk.repair()
        try await eventually { port.health == .serving }
        #expect(try await fixture.port.counts(task).delivered == 1)
    }

    @Test(
        "an input/output error leaves those that wait in doubt, refuses everybody after, and serves reads until a restart",
        arguments: [FaultyDisk.Operation.write, .sync], 0..<3)
    func inputOutput(_ operation: FaultyDisk.Operation, after: Int) async throws {
        let fixture = try await furnished()
        let stored = try await fixture.port.push(.message(.organisation("root")))
        fixture.disk.fail(operation, .inputOutput, after: after, times: 1)
        let port = fixture.port
        let answers = await pushUntilFailure(port, fixture.disk)
        #expect(answers.values.contains(.unknown))
        guard case .failed = port.health else {
            Issue.record("\(port.health)")
            return
        }
        guard case .unavailable = await port.append(.message(.organisation("root"))) else {
            Issue.record("stored after a failed write")
            return
        }
        await #expect(throws: StoreError.unavailable(retryAfter: retryAfter)) {
            try await fixture.port.makeDevice("d3", in: "root")
        }
        await #expect(throws: StoreError.unavailable(retryAfter: retryAfter)) { try await port.recall(stored) }
        #expect(
            await refusal { _ = try await port.importLines([.deviceLine("x", in: "root")]) }
                == .unavailable(retryAfter: retryAfter))
        #expect(try await fixture.port.counts(stored).pending == 2)
        #expect(try await fixture.port.pendingTasks("d1").contains(stored))

        fixture.disk.repair()
        try await fixture.restart()
        let report = try await fixture.port.tasks(TaskFilter(), after: nil, limit: 1_000)
        let certain = answers.values.compactMap { if case .stored(let task) = $0 { task } else { nil } }
        let refused = answers.values.count { if case .unavailable = $0 { true } else { false } }
        #expect(Set(certain + [stored]).isSubset(of: report.items.map(\.task)))
        #expect(report.items.count <= answers.count + 1 - refused)
        // A retry of what was in doubt makes one task.
        for number in answers.keys {
            _ = await fixture.port.append(Self.numbered(number))
        }
        #expect(try await fixture.port.tasks(TaskFilter(), after: nil, limit: 1_000).items.count == answers.count + 1)
        #expect(try await fixture.port.pendingTasks("d2").count == answers.count + 1)
    }

    @Test("a checkpoint and a merge that find no room are done when there is room again")
    func housekeepingOnAFullDisk() async throws {
        let fixture = try await furnished { options in
            options.tuning.mergeThreshold = 10
            options.tuning.mergePause = 5
            options.tuning.checkpointThreshold = 50
        }
        for _ in 0..<100 { try await fixture.port.push(.message(.organisation("root"))) }
        fixture.disk.fail(.growth, .full)
        for _ in 0..<100 { _ = await fixture.port.append(.message(.organisation("root"))) }
        fixture.disk.repair()
        try await eventually { fixture.port.health == .serving }
        for _ in 0..<400 { try await fixture.port.push(.message(.organisation("root"))) }
        try await eventually {
            _ = await fixture.port.append(.message(.organisation("root")))
            return fixture.directory.size(of: "psp.db-wal") < 2_000_000 && fixture.store.tail.view.generations.count <= 2
        }
        #expect(fixture.port.health == .serving)
    }

    @Test("an input/output error of a merge, which nobody waits for, is known to everybody afterwards")
    func housekeepingInputOutput() async throws {
        let fixture = try await furnished { options in
            options.tuning.mergeThreshold = 1_000
            options.tuning.mergePause = 300
        }
        let stored = try await fixture.port.push(.message(.organisation("root")))
        fixture.disk.fail(.write, .inputOutput, times: 1)
        try await eventually { if case .failed = fixture.port.health { true } else { false } }
        guard case .unavailable = await fixture.port.append(.message(.organisation("root"))) else {
            Issue.record("stored after a failed write")
            return
        }
        #expect(try await fixture.port.pendingTasks("d1") == [stored])
        fixture.disk.repair()
        try await fixture.restart()
        #expect(fixture.port.health == .serving)
        #expect(try await fixture.port.pendingTasks("d1") == [stored])
    }

    private static func numbered(_ number: Int) -> PushRequest { .message(.organisation("root"), bizNo: "b\(number)") }

    /// Pushes from many callers at once, until something has failed.
    private func pushUntilFailure(_ port: any StorePort, _ disk: FaultyDisk) async -> [Int: Accepted] {
        var answers: [Int: Accepted] = [:]
        while !disk.hasFailed || answers.values.allSatisfy({ if case .stored = $0 { true } else { false } }) {
            let first = answers.count
            await withTaskGroup(of: (Int, Accepted).self) { group in
                for number in first..<first + 20 {
                    group.addTask { (number, await port.append(Self.numbered(number))) }
                }
                for await (number, accepted) in group { answers[number] = accepted }
            }
        }
        return answers
    }
}

/// What a call throws.
private func refusal(_ call: @Sendable () async throws -> Void) async -> StoreError? {
    do {
        try await call()
        return nil
    } catch {
        return error as? StoreError
    }
}
