import Base
import FaultVFS
import Push
import StoreCore
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("The log's indexes and its size")
struct LogTests {
    @Test("a merge between a reader's look at the tail and its snapshot hides no row from it")
    func tailBeforeSnapshot() async throws {
        let between = Between()
        let fixture = try await SQLiteFixture { options in
            options.tuning.mergeThreshold = 1
            options.tuning.betweenTailAndSnapshot = between.run
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d", in: "root")
        try await eventually { fixture.store.tail.firstUnmerged == .max }
        let session = try await fixture.port.connect("d")
        // The rows are in the tail when the reader looks at it, and in the index when its snapshot begins, or the other way
        // round.
        let store = fixture.store
        let port = fixture.port
        let pushing = try await fixture.loop.hanging {
            let pushing = Task { await port.append(.message(.organisation("root"), tag: "t")) }
            try await eventually { store.tail.view.head > session.attached.settledUpTo.raw }
            return pushing
        }
        let pushed = await pushing.value
        guard case .stored(let first) = pushed else { throw UnexpectedAnswer(pushed) }
        let (loop, app) = (TestLoop(), AppKey(unchecked: "app"))
        let writer = store.port(for: loop)
        let second = Locked<TaskID?>(nil)
        between.set {
            let isMerged = WakeSignal()
            Task {
                if case .stored(let task) = await writer.append(.message(.organisation("root"), tag: "t")) {
                    second.withLock { $0 = task }
                }
                while store.tail.firstUnmerged != .max { await Task.yield() }
                isMerged.signal()
            }
            isMerged.wait()
        }
        let page = try await fixture.port.pending(for: session.device, after: session.attached.settledUpTo, limit: 10)
        // It has looked up to the first only, or has the second, too.
        let expected = page.rows.count == 2 ? [first, second.withLock { $0 }] : [first]
        #expect(page.rows.map(\.task) == expected)
        #expect(page.lookedUpTo >= page.rows.last?.position ?? .start)
        let rest = try await fixture.port.pending(for: session.device, after: page.lookedUpTo, limit: 10)
        #expect((page.rows + rest.rows).map(\.task) == [first, second.withLock { $0 }])
        #expect(try await fixture.port.totals(app: app, tag: "t", from: nil, to: nil).tasks == 2)
        session.disconnect()
    }

    @Test("readers beside a writer that merges all the time see every row once, in order")
    func mergesBesideReaders() async throws {
        let fixture = try await SQLiteFixture { options in
            options.tuning.mergeThreshold = 3
            options.tuning.mergePause = 1
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        try await fixture.port.makeDevice("d", in: "root")
        let session = try await fixture.port.connect("d")
        let (port, device, start) = (fixture.port, session.device, session.attached.settledUpTo)
        async let stored = withTaskGroup(of: [TaskID].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var own: [TaskID] = []
                    for _ in 0..<150 {
                        if case .stored(let task) = await port.append(.message(.organisation("root"))) {
                            own.append(task)
                        }
                    }
                    return own
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        var seen: [TaskID] = []
        var after = start
        try await eventually {
            let page = try await port.pending(for: device, after: after, limit: 7)
            seen += page.rows.map(\.task)
            after = page.lookedUpTo
            return seen.count >= 600
        }
        #expect(seen == (await stored).sorted { $0.text < $1.text })
        session.disconnect()
    }

    @Test("a process that is killed at any point finds its tail again")
    func rebuild() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk(devices: ["d"]) { options in
            options.tuning.mergeThreshold = 5
            options.tuning.mergePause = 1
            options.tuning.checkpointThreshold = 30
        }
        var tasks: [TaskID] = []
        for number in 0..<25 {
            tasks.append(try await fixture.port.push(.message(.organisation("root"), tag: "t", bizNo: "b\(number)")))
            // All that was written is there, as after SIGKILL.
            let left = try TemporaryDirectory()
            #expect(fixture.disk.failPower(into: left.path, keeping: 100) == 0)
            let killed = try await SQLiteFixture(in: left)
            #expect(try await killed.port.pendingTasks("d") == tasks)
            #expect(
                try await killed.port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil).tasks == tasks.count)
            let again = await killed.port.append(.message(.organisation("root"), tag: "t", bizNo: "b0"))
            #expect(again == .repeated(tasks[0]))
            #expect(try await killed.port.push(.message(.organisation("root"))).text.suffix(12) > tasks[number].text.suffix(12))
            killed.close()
        }
    }

    @Test(
        "the write-ahead log stays bounded under a steady writer with readers, and a snapshot that is held stops it not for ever")
    func boundedLog() async throws {
        let fixture = try await SQLiteFixture { options in
            options.tuning.checkpointThreshold = 100
            options.tuning.mergeThreshold = 500
        }
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        for number in 0..<4 { try await fixture.port.makeDevice("d\(number)", in: "root") }
        let text = String(repeating: "x", count: 800)

        func write(_ rounds: Int) async throws {
            let port = fixture.port
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<4 {
                    group.addTask {
                        for _ in 0..<rounds {
                            _ = await port.append(.message(.device("d\(caller)"), text: text))
                        }
                    }
                }
                group.addTask {
                    for round in 0..<rounds / 4 {
                        guard let session = try? await DeviceSession.connect("d\(round % 4)", port) else { return }
                        session.disconnect(settling: Array((try? await session.read())?.prefix(20) ?? []))
                    }
                }
            }
        }
        try await write(200)
        let steady = fixture.directory.size(of: "psp.db-wal")
        try await write(1_500)
        // Some 25 MB were written to it. How far it grows between two checkpoints is the processor's and the disk's affair.
        #expect(fixture.directory.size(of: "psp.db-wal") < 12_000_000)

        // Somebody holds a snapshot: the log grows meanwhile, and begins anew afterwards.
        let file = try Database(path: fixture.directory.path + "/psp.db", role: .reader)
        let context = Reader.Context(
            Tables(file, SharedStretches()), tail: fixture.store.tail, tasks: fixture.store.tasks, clock: fixture.store.clock,
            options: fixture.options)
        try context.database.statement("BEGIN").run()
        _ = try context.database.number("SELECT count(*) FROM message")
        try await write(300)
        let held = fixture.directory.size(of: "psp.db-wal")
        #expect(held > steady)
        try context.database.statement("COMMIT").run()
        try await write(2_000)
        #expect(fixture.directory.size(of: "psp.db-wal") <= held + 12_000_000)
    }

    @Test("the writer's memory does not grow with pushes that nobody acknowledges")
    func boundedMemory() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeApp("app")
        try await fixture.port.makeOrg("root")
        let port = try #require(fixture.port as? LoopPort)
        for _ in 0..<30 {
            try await port.ask(.change) { decisions, now throws(SQLiteError) in
                for _ in 0..<1_000 {
                    _ = try decisions.pushes.append(.message(.organisation("root")), at: now)
                }
            }
        }
        let held = try await port.ask { decisions, _ throws(SQLiteError) in decisions.receipts.taskCount }
        #expect(held <= 22_000)
    }
}

/// Something that happens once, at a point that the test has chosen.
private final class Between: Sendable {
    private let action = Locked<(@Sendable () -> Void)?>(nil)
    func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }
    @Sendable func run() {
        let action = action.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }
}
