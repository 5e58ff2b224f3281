import Base
import Push
import StoreContract
import Testing

@Suite("Contract: the feed")
struct FeedTests {
    @Test("a loop learns what comes after its snapshot, in the order of positions, and nothing twice", arguments: stores())
    func order(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let ports = [fixture.port, fixture.other]
        async let pushes: Void = withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask { _ = await ports[number % 2].append(.message(.organisation("root"))) }
            }
        }
        let (late, loop) = fixture.newPort()
        let snapshot = try await loop.follow(late)
        await pushes
        let last = try await fixture.port.push(.message(.organisation("root")))
        for loop in [loop, fixture.loop] { try await loop.waitForRow(of: last) }
        let told = loop.takeEvents().flatMap(\.rows)
        #expect(loop.faults.isEmpty)
        // With what the snapshot holds, it is all there was.
        let tasks = try await late.all { after throws(StoreError) in
            try await late.tasks(TaskFilter(), after: after, limit: 100)
        }
        #expect(tasks.count == 301)
        #expect(Array(told.map(\.task).reversed()) == Array(tasks.map(\.task).prefix(told.count)))
        let rows = fixture.loop.takeEvents().flatMap(\.rows)
        #expect(rows.count == 301)
        #expect(rows.filter { $0.position > snapshot.position }.map(\.task) == told.map(\.task))
    }

    @Test("a caller has a push in its own loop's feed before the answer", arguments: stores(.promptFeed))
    func entriesFirst(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        for _ in 0..<20 {
            let task = try await fixture.port.push(.message(.organisation("root")))
            #expect(fixture.loop.takeEvents().flatMap(\.rows).map(\.task).contains(task))
            let own = try await fixture.other.push(.message(.organisation("root")))
            #expect(fixture.otherLoop.takeEvents().flatMap(\.rows).map(\.task).contains(own))
        }
    }

    @Test(
        "a snapshot has the apps and the tree, and every loop learns their changes before the change is answered",
        arguments: stores())
    func directory(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (late, loop) = fixture.newPort()
        let snapshot = try await loop.follow(late)
        #expect(snapshot.apps.map(\.key.text) == ["app"])
        #expect(snapshot.organisations.count == 3)
        let root = try #require(snapshot.organisations.first { $0.parent == nil }?.handle)
        #expect(snapshot.organisations.count { $0.parent == root } == 2)
        _ = fixture.otherLoop.takeEvents()

        try await fixture.port.makeOrg("south", under: "root")
        let created = fixture.otherLoop.takeEntries().compactMap { entry -> OrgHandle? in
            if case .organisation(let handle, parent: root, _) = entry { handle } else { nil }
        }
        let south = try #require(created.first)
        #expect(!snapshot.organisations.contains { $0.handle == south })
        try await fixture.port.moveOrg("south", under: nil)
        let moved = fixture.otherLoop.takeEntries().contains { entry in
            if case .organisation(south, parent: nil, _) = entry { true } else { false }
        }
        #expect(moved)

        try await fixture.port.makeApp("second")
        try await fixture.port.changeApp("second") { $0.name = "changed" }
        _ = try await fixture.port.apply(.removeApp(AppKey(unchecked: "second")))
        let apps = fixture.otherLoop.takeEntries().compactMap { entry -> String? in
            if case .app(AppKey(unchecked: "second"), let app) = entry { app?.name ?? "removed" } else { nil }
        }
        #expect(apps == ["second", "changed", "removed"])
    }

    @Test("cancelling and changes of the directory wait until a loop that hangs has applied them", arguments: stores())
    func slowLoop(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        let done = Locked<[String]>([])
        let port = fixture.port
        let (cancelling, changing) = try await fixture.otherLoop.hanging {
            let cancelling = Task {
                try await port.recall(task)
                done.withLock { $0.append("cancel") }
            }
            let changing = Task {
                try await port.changeApp("app") { $0.name = "changed" }
                done.withLock { $0.append("change") }
            }
            try await fixture.loop.waitForEntry("the end of the task") { if case .ended(task, _) = $0 { true } else { false } }
            try await fixture.loop.waitForEntry("the change of the app") { if case .app(_, _) = $0 { true } else { false } }
            // Pushes do not wait for it.
            try await port.push(.message(.organisation("root")))
            #expect(done.withLock { $0 } == [])
            return (cancelling, changing)
        }
        try await cancelling.value
        try await changing.value
        #expect(fixture.otherLoop.takeEntries().contains { if case .ended(task, _) = $0 { true } else { false } })
    }

    @Test("a device's own rows reach only the loop that has its connection", arguments: stores(.directedRows))
    func directed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let session = try await fixture.other.connect("d1")
        _ = fixture.loop.takeEvents()
        _ = fixture.otherLoop.takeEvents()
        let task = try await fixture.port.push(.message(.device("d1")))
        try await fixture.port.push(.message(.device("d2")))
        try await fixture.port.change("d1") { $0.test = true }
        #expect(fixture.loop.takeEntries().isEmpty)
        let entries = fixture.otherLoop.takeEntries()
        guard entries.count == 2, case .row(let row) = entries[0],
            case .membership(session.device, let membership, let at) = entries[1]
        else { throw UnexpectedAnswer(entries) }
        #expect(row.task == task && membership.test && at > row.position)
        session.disconnect()
    }

    @Test("between its pages and the feed a session misses nothing, whatever is pushed while it connects", arguments: stores())
    func seamless(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let ports = [fixture.port, fixture.other]
        async let pushes: Void = withTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    for number in 0..<60 {
                        let target: PushRequest.Target = number % 2 == 0 ? .device("d1") : .organisation("east")
                        _ = await ports[caller % 2].append(.message(target))
                    }
                }
            }
        }
        try await eventually("some of the pushes") {
            try await fixture.other.tasks(TaskFilter(), after: nil, limit: 20).items.count == 20
        }
        let session = try await fixture.other.connect("d1")
        let pages = try await session.read(limit: 7)
        #expect(session.readUpTo >= session.attached.feedFrom)
        await pushes
        try await fixture.otherLoop.waitForRow(of: try await fixture.other.push(.message(.device("d1"))))
        let feed = fixture.otherLoop.takeEvents().flatMap(\.rows).filter { row in
            if case .device(let device) = row.target, device != session.device { return false }
            return row.position > session.readUpTo
        }
        let everything = try await session.reread()
        #expect((pages + feed).map(\.position) == everything.map(\.position))
        #expect(everything.count == 241 && Set(everything.map(\.task)).count == 241)
        session.disconnect()
    }
}
