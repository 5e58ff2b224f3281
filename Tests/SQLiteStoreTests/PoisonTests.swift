import Push
import StoreContract
import StoreCore
import Testing

@testable import SQLiteStore

/// What fails however often it is tried, by a damaged value or by an error of our own: it is given up, and all else goes on.
@Suite("What would fail for ever")
struct PoisonTests {
    private func furnished(_ change: (inout SQLiteStore.Options) -> Void = { _ in }) async throws -> SQLiteFixture {
        try await .onFaultyDisk(organisations: ["root", "area"], change)
    }

    /// A statement about that token is refused, as an error of ours would be.
    private static func trigger(_ token: String) -> String {
        """
        CREATE TRIGGER poison BEFORE INSERT ON device WHEN NEW.token = '\(token)'
        BEGIN SELECT RAISE(ABORT, 'poison'); END
        """
    }

    /// Has several calls decided in one transaction, in this order: they collect while a sync is held.
    private func together(_ fixture: SQLiteFixture, _ count: Int, _ calls: () async throws -> Void) async throws {
        fixture.disk.holdSyncs()
        let port = fixture.port
        let first = Task { await port.append(.message(.organisation("root"))) }
        try await eventually { fixture.disk.heldSyncs == 1 }
        try await calls()
        try await eventually { fixture.waitingJobs == count }
        fixture.disk.releaseSyncs()
        guard case .stored = await first.value else { throw UnexpectedAnswer("the first") }
    }

    @Test(
        "a call that is at fault is refused alone, wherever it stands in its transaction, and the store goes on", arguments: 0..<4
    )
    func call(place: Int) async throws {
        let fixture = try await furnished()
        let port = fixture.port
        try await port.makeDevice("d1", in: "root")
        let task = try await port.push(.message(.organisation("root")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        try OtherProgram(on: fixture.directory.path + "/psp.db").execute(Self.trigger("bad"))
        var calls: [() -> Task<Bool, Never>] = (0..<3).map { number in
            {
                Task {
                    if case .stored = await port.append(.message(.organisation("root"), bizNo: "b\(number)")) {
                        true
                    } else {
                        false
                    }
                }
            }
        }
        calls.insert(
            {
                Task {
                    do throws(StoreError) {
                        try await port.makeDevice("bad", in: "root")
                        return true
                    } catch {
                        return error != .unavailable(retryAfter: retryAfter)
                    }
                }
            }, at: place)
        var answers: [Task<Bool, Never>] = []
        try await together(fixture, 5) {
            for call in calls {
                answers.append(call())
                try await eventually("its place") { fixture.waitingJobs == answers.count }
            }
            session.settle(rows)
        }
        for (index, answer) in answers.enumerated() { #expect(await answer.value == (index != place)) }
        #expect(port.health == .serving)
        #expect(fixture.log.all.contains { $0.contains("a call was refused: poison") })
        let tasks = try await port.tasks(TaskFilter(), after: nil, limit: 10)
        #expect(tasks.items.count == 5, "each once")
        #expect(try await port.counts(task).delivered == 1)
        try await port.makeDevice("good", in: "root")
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 2)
    }

    @Test("an acknowledgement, and a device's receipt, of a task whose receipts cannot be read are not counted; all others are")
    func damagedReceipts() async throws {
        let fixture = try await furnished()
        for device in ["d1", "d2"] { try await fixture.port.makeDevice(device, in: "root") }
        let damaged = try await fixture.port.push(.message(.organisation("root")))
        let whole = try await fixture.port.push(.message(.organisation("root")))
        var session = try await fixture.port.connect("d1")
        session.settle(try await session.read())
        #expect(try await fixture.port.counts(whole).delivered == 1)
        try await fixture.edit("UPDATE receipt SET bits = x'FF' WHERE seq = (SELECT min(seq) FROM receipt)")
        let port = fixture.port
        session = try await port.connect("d2")
        session.settle(try await session.read())
        #expect(try await port.counts(whole).delivered == 2)
        #expect(try await port.counts(damaged).delivered == 1)
        #expect(try await session.reread().isEmpty)
        // Somebody tells of both in one turn of a loop.
        let (device, opened) = (session.device, ReceiptEvent.opened)
        let results = try await port.commit([
            Receipt(device: device, task: damaged, event: opened, detail: nil),
            Receipt(device: device, task: whole, event: opened, detail: nil),
        ])
        #expect(results.count == 2 && results[1] == .counted)
        session.disconnect()
        #expect(port.health == .serving)
        #expect(fixture.log.all.contains { $0.contains("is not counted: the receipts of row") })
        try await fixture.restart()
        #expect(try await fixture.port.pendingTasks("d2").isEmpty)
        #expect(try await fixture.port.counts(whole).opened == 1)
    }

    @Test(
        "what follows from a change and cannot be done is given up alone, its caller in doubt, and the next change is decided",
        arguments: [1, 16, 2_048])
    func followUp(steps: Int) async throws {
        let fixture = try await furnished { $0.tuning.steps = steps }
        for number in 0..<20 { try await fixture.port.makeDevice("d\(number)", in: "area") }
        try await fixture.port.makeDevice("first", in: "root")
        let tasks = try await damagedConfigurations(fixture)
        let port = fixture.port
        await #expect(throws: StoreError.unknown) { try await port.moveOrg("area", under: "root") }
        #expect(try await fixture.rows("SELECT count(*) FROM follow_up") == 0)
        #expect(port.health == .serving)
        #expect(fixture.log.all.contains { $0.contains("was given up") && $0.contains("joinSubtree") })
        for (index, task) in tasks.enumerated() { #expect(try await port.counts(task).targeted == (index == 1 ? 3 : 23)) }
        #expect(try await port.pendingTasks("d7") == [tasks[0], tasks[2]])
        // Whoever comes next is answered as always.
        try await port.makeOrg("next")
        try await fixture.restart()
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 23)
    }

    /// Configurations of `root` that somebody has joined, so that there is something to be damaged; of the second one who.
    private func damagedConfigurations(_ fixture: SQLiteFixture) async throws -> [TaskID] {
        var tasks: [TaskID] = []
        for tag in 0..<3 { tasks.append(try await fixture.port.push(.configuration(.organisation("root"), tag: "\(tag)"))) }
        try await fixture.port.makeOrg("early")
        for device in ["e1", "e2"] { try await fixture.port.makeDevice(device, in: "early") }
        try await fixture.port.moveOrg("early", under: "root")
        try await fixture.edit("UPDATE receipt SET bits = x'FF' WHERE seq = \(Self.position(of: tasks[1]))")
        return tasks
    }

    private static func position(of task: TaskID) -> UInt64 { UInt64(task.text.suffix(12), radix: 16) ?? 0 }

    @Test(
        "of the configurations that a device joins the one that cannot be joined is left out, and its mover is in doubt",
        arguments: [1, 16, 2_048])
    func followUpOfDevice(steps: Int) async throws {
        let fixture = try await furnished { $0.tuning.steps = steps }
        try await fixture.port.makeDevice("d1", in: "area")
        let tasks = try await damagedConfigurations(fixture)
        let port = fixture.port
        await #expect(throws: StoreError.unknown) { try await port.move("d1", to: "root") }
        #expect(try await port.pendingTasks("d1") == [tasks[0], tasks[2]])
        #expect(try await port.counts(tasks[2]).targeted == 3)
        #expect(fixture.log.all.contains { $0.contains("was given up") && $0.contains(tasks[1].text) })
        #expect(port.health == .serving)
        try await port.makeDevice("d2", in: "area")
    }

    @Test("a configuration that cannot be cancelled with its organisation is nobody's who bears that name later")
    func followUpOfDeletion() async throws {
        let fixture = try await furnished()
        try await fixture.port.makeOrg("gone")
        var tasks: [TaskID] = []
        for tag in 0..<3 { tasks.append(try await fixture.port.push(.configuration(.organisation("gone"), tag: "\(tag)"))) }
        try await fixture.edit(
            """
            CREATE TRIGGER poison BEFORE UPDATE ON message WHEN OLD.seq = \(Self.position(of: tasks[1]))
            BEGIN SELECT RAISE(ABORT, 'poison'); END
            """)
        let port = fixture.port
        await #expect(throws: StoreError.unknown) { try await port.removeOrg("gone") }
        for (index, task) in tasks.enumerated() {
            #expect(try await port.status(task) == (index == 1 ? .active : .cancelled))
        }
        #expect(fixture.log.all.contains { $0.contains("was given up") && $0.contains(tasks[1].text) })
        try await port.makeOrg("gone")
        try await port.makeDevice("d1", in: "gone")
        try await port.makeDevice("d2", in: "area")
        try await port.moveOrg("area", under: "gone")
        for device in ["d1", "d2"] { #expect(try await port.pendingTasks(device).isEmpty) }
    }

    @Test("an acknowledgement of a device whose cursor cannot be read is not counted, and everybody else is served")
    func unreadableCursor() async throws {
        let fixture = try await furnished()
        try await fixture.port.makeDevice("d1", in: "root")
        let task = try await fixture.port.push(.message(.device("d1")))
        // Whoever reads it gets an error instead of a value.
        try await fixture.edit(
            "DROP TABLE beyond; CREATE VIEW beyond AS SELECT 1 AS ordinal, abs(-9223372036854775807 - 1) AS positions")
        let port = fixture.port
        let position = Position(raw: Self.position(of: task))
        port.settle([
            Delivery(device: DeviceHandle(ordinal: 1), position: position, settledUpTo: position, kind: .delivered)
        ])
        for _ in 0..<3 { try await port.push(.message(.organisation("root"))) }
        #expect(port.health == .serving)
        #expect(fixture.log.all.contains { $0.contains("an acknowledgement is not counted: ") })
        // A transaction that fails has what was heard told again.
        fixture.disk.fail(.write, .full, times: 1)
        _ = await port.append(.message(.organisation("root")))
        try await eventually { port.health == .serving }
        try await port.push(.message(.organisation("root")))
    }

    @Test("acknowledgements of a task whose counters cannot be written are not counted, and those of all others are")
    func unwritableCounters() async throws {
        let fixture = try await furnished()
        try await fixture.port.makeDevice("d1", in: "root")
        var tasks: [TaskID] = []
        for _ in 0..<3 { tasks.append(try await fixture.port.push(.message(.organisation("root"), tag: "t"))) }
        try await fixture.edit(
            """
            CREATE TRIGGER poison BEFORE INSERT ON counter WHEN NEW.seq = \(Self.position(of: tasks[1]))
            BEGIN SELECT RAISE(ABORT, 'poison'); END
            """)
        let port = fixture.port
        let session = try await port.connect("d1")
        session.settle(try await session.read())
        for (index, task) in tasks.enumerated() { #expect(try await port.counts(task).delivered == (index == 1 ? 0 : 1)) }
        #expect(port.health == .serving)
        #expect(fixture.log.all.contains { $0.contains("acknowledgements of a task are not counted: poison") })
        // Nor is a part of it written: the bitmaps come before the counters.
        #expect(try await fixture.rows("SELECT count(*) FROM receipt") == 2)
        session.disconnect()
        try await port.push(.message(.organisation("root")))
        try await eventually { try await fixture.isSummed }
        #expect(try await fixture.wrongSums == 0)
        try await fixture.restart()
        #expect(try await fixture.port.pendingTasks("d1").count == 1)
    }

    @Test("a sum that cannot be written is not kept, and those of all other tags are")
    func unwritableSum() async throws {
        let fixture = try await furnished()
        try await fixture.port.makeDevice("d1", in: "root")
        for tag in 0..<6 { try await fixture.port.push(.message(.organisation("root"), tag: "t\(tag)")) }
        try await eventually { try await fixture.isSummed }
        try await fixture.edit(
            "CREATE TRIGGER poison BEFORE UPDATE ON total WHEN NEW.tag = 't3' BEGIN SELECT RAISE(ABORT, 'poison'); END")
        let port = fixture.port
        let session = try await port.connect("d1")
        session.settle(try await session.read())
        try await eventually { fixture.log.all.contains { $0.contains("a sum by tag is not kept: poison") } }
        #expect(port.health == .serving)
        // It alone: what it was, and what it should be. That is told before the others are committed.
        try await eventually { try await fixture.wrongSums == 2 }
    }

    @Test("a line of an import whose consequences cannot be done as a whole is one that failed")
    func importedFollowUp() async throws {
        let fixture = try await furnished { $0.tuning.steps = 16 }
        for number in 0..<20 { try await fixture.port.makeDevice("d\(number)", in: "area") }
        let tasks = try await damagedConfigurations(fixture)
        let port = fixture.port
        let lines = [
            #"{"kind":"org","id":"new","name":"new"}"#, #"{"kind":"org","id":"area","parent_id":"root"}"#,
            .deviceLine("d20", in: "root"),
        ]
        let report = try await port.importLines(lines)
        // The third line's device joins the same configuration.
        #expect((report.tally.created, report.tally.updated, report.tally.failed) == (1, 0, 2))
        #expect(report.failures.map(\.line) == [2, 3] && report.failures.allSatisfy { $0.code == .internalError })
        #expect(try await port.pendingTasks("d7") == [tasks[0], tasks[2]])
        #expect(try await port.importLines(["", .deviceLine("e", in: "new")]).tally.failed == 0)
    }

    @Test("a line of an import that is at fault is one that failed, and the import goes on", arguments: [0, 7, 19])
    func importLine(bad: Int) async throws {
        let fixture = try await furnished()
        try await fixture.edit(Self.trigger("d\(bad)"))
        let report = try await fixture.port.importLines((0..<20).map { .deviceLine("d\($0)", in: "root") })
        #expect(report.tally.created == 19 && report.tally.failed == 1)
        #expect(report.failures.map(\.line) == [bad + 1])
        #expect(report.failures.first?.code == .internalError)
        #expect(try await fixture.port.organisation(OrgID(unchecked: "root")).devices == 19)
        #expect(fixture.port.health == .serving)
    }
}
