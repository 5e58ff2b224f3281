import Base
import Push
import StoreContract
import Testing

@testable import SQLiteStore

/// What follows from a change of the directory: much, in small pieces.
@Suite("What follows from a change of the directory")
struct FollowUpTests {
    /// Steps by which a transaction may go beyond its budget: what it had begun, a page or a few dozen configurations.
    private static let beyond = 400

    /// A store with little budget, an organisation `area` of so many devices that is nobody's child, and one `root`.
    private func furnished(devices: Int, steps: Int = 256) async throws -> SQLiteFixture {
        let fixture = try await SQLiteFixture { $0.tuning.steps = steps }
        let port = fixture.port
        try await port.makeApp("app")
        try await port.makeOrg("root")
        try await port.makeOrg("area")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<devices {
                group.addTask { try await port.makeDevice("d\(number)", in: "area", user: "u\(number)") }
            }
            try await group.waitForAll()
        }
        return fixture
    }

    private func mostSteps(_ fixture: SQLiteFixture) -> Int { fixture.store.holdTimes.mostSteps }

    @Test("a move of many devices to a parent with several configurations holds the writer for few steps at a time")
    func move() async throws {
        let fixture = try await furnished(devices: 1_000)
        let port = fixture.port
        var tasks: [TaskID] = []
        for tag in 0..<5 { tasks.append(try await port.push(.configuration(.organisation("root"), tag: "\(tag)"))) }
        let session = try await port.connect("d7")
        try await port.moveOrg("area", under: "root")
        for task in tasks {
            let counts = try await port.counts(task)
            #expect(counts.targeted == 1_000 && counts.pending == 1_000)
        }
        #expect(try await session.reread().map(\.task) == tasks)
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
        // Nothing is left to do, and a move back and forth counts nobody twice.
        #expect(try await fixture.rows("SELECT count(*) FROM follow_up") == 0)
        try await port.moveOrg("area", under: nil)
        try await port.moveOrg("area", under: "root")
        #expect(try await port.counts(tasks[0]).targeted == 1_000)
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
    }

    @Test("a device that is given to another with much pending, or joins many configurations, holds the writer for few steps")
    func holder() async throws {
        let fixture = try await furnished(devices: 1)
        let port = fixture.port
        let message = try await port.push(.message(.device("d0")))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<600 { group.addTask { try await port.push(.message(.organisation("area"))) } }
            for tag in 0..<300 { group.addTask { try await port.push(.configuration(.organisation("area"), tag: "\(tag)")) } }
            try await group.waitForAll()
        }
        let session = try await port.connect("d0")
        let rows = try await session.read()
        try await port.give("d0", to: "other")
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
        // What the former holder still acknowledges counts no more.
        session.disconnect(settling: Array(rows.prefix(3)))
        #expect(try await port.counts(message).withdrawn == 1)
        let pages = try await port.all { after throws(StoreError) in
            try await port.tasks(TaskFilter(), after: after, limit: 1_000)
        }
        #expect(pages.count == 901 && pages.allSatisfy { $0.counts.withdrawn == 1 && $0.counts.delivered == 0 })
        #expect(try await port.pendingTasks("d0").count == 300)
        // By an import too.
        let imported = try await port.importLines([#"{"kind":"device","id":"d0","user_id":"third"}"#])
        #expect(imported.tally.updated == 1)
        #expect(try await port.pendingTasks("d0").count == 300)
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
    }

    @Test("a device that joins very many configurations, and the deletion of who has them, hold the writer for few steps")
    func manyConfigurations() async throws {
        let count = 1_500
        let fixture = try await furnished(devices: 1)
        let port = fixture.port
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tag in 0..<count { group.addTask { try await port.push(.configuration(.organisation("root"), tag: "\(tag)")) } }
            try await group.waitForAll()
        }
        try await port.move("d0", to: "root")
        #expect(try await port.pendingTasks("d0").count == count)
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
        #expect(try await fixture.rows("SELECT count(*) FROM follow_up") == 0)
        // A subtree that enters them looks at each a few times, however many there are.
        try await port.makeDevice("d1", in: "area")
        try await port.moveOrg("area", under: "root")
        #expect(try await port.pendingTasks("d1").count == count)
        try await port.moveOrg("area", under: nil)
        try await port.move("d0", to: "area")
        try await port.removeOrg("root")
        #expect(mostSteps(fixture) <= 256 + Self.beyond)
        let cancelled = try await fixture.rows("SELECT count(*) FROM message WHERE status = 1 AND ref IS NULL")
        #expect(cancelled == Int64(count))
        #expect(try await fixture.rows("SELECT count(*) FROM current_config") == 0)
        #expect(try await port.pendingTasks("d0").isEmpty)
    }

    @Test("while something follows from one change the next waits, and pushes, connections and reports go on")
    func order() async throws {
        let gate = Locked(false)
        let fixture = try await SQLiteFixture { options in
            options.tuning.steps = 16
            options.tuning.mayFollowUp = { gate.withLock { $0 } }
        }
        let port = fixture.port
        try await port.makeApp("app")
        gate.withLock { $0 = true }
        for org in ["root", "area"] { try await port.makeOrg(org) }
        for number in 0..<40 { try await port.makeDevice("d\(number)", in: "area") }
        let task = try await port.push(.configuration(.organisation("root")))
        gate.withLock { $0 = false }
        async let moved: Void = port.moveOrg("area", under: "root")
        try await eventually("its position") { try await fixture.rows("SELECT count(*) FROM follow_up") > 0 }
        async let removed: Void = port.removeDevice("d39")
        // The move is whole for a push, although not all have joined yet.
        let later = try await port.push(.message(.organisation("root")))
        #expect(try await port.counts(later).targeted == 40)
        let session = try await port.connect("d0")
        #expect(try await session.read().map(\.task) == [later])
        #expect(try await port.counts(task).targeted < 40)
        #expect(try await port.device(DeviceToken(unchecked: "d39")).token.text == "d39")
        gate.withLock { $0 = true }
        try await moved
        try await removed
        #expect(try await session.read().map(\.task) == [later, task])
        let counts = try await port.counts(task)
        #expect(counts.targeted == 40 && counts.withdrawn == 1 && counts.pending == 39)
    }

    @Test("a full disk between two slices leaves the caller in doubt, refuses who waits, and the rest is done when there is room")
    func fullDisk() async throws {
        let gate = Locked(true)
        let fixture = try await SQLiteFixture.onFaultyDisk(organisations: ["root", "area"]) { options in
            options.tuning.steps = 16
            options.tuning.mayFollowUp = { gate.withLock { $0 } }
        }
        let (port, disk) = (fixture.port, fixture.disk)
        for number in 0..<40 { try await port.makeDevice("d\(number)", in: "area") }
        let task = try await port.push(.configuration(.organisation("root")))
        gate.withLock { $0 = false }
        let moving = Task { try await port.moveOrg("area", under: "root") }
        try await eventually("its position") { try await fixture.rows("SELECT count(*) FROM follow_up") > 0 }
        let removing = Task { try await port.removeDevice("d39") }
        try await eventually("the next change") { fixture.waitingJobs == 0 }
        disk.fail(.write, .full)
        gate.withLock { $0 = true }
        await #expect(throws: StoreError.unknown) { try await moving.value }
        await #expect(throws: StoreError.self) { try await removing.value }
        disk.repair()
        try await eventually("the rest") { try await fixture.rows("SELECT count(*) FROM follow_up") == 0 }
        #expect(try await port.counts(task).pending == 40)
        #expect(try await port.pendingTasks("d39") == [task])
    }
}
