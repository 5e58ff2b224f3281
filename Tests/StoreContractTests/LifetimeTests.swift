import Base
import Push
import StoreContract
import Testing

@Suite("Contract: closing, restarting, time")
struct LifetimeTests {
    // MARK: Closing

    @Test("what is asked of a closed store is refused at once, whatever it is", arguments: stores())
    func closed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let session = try await port.connect("d1")
        #expect(port.health == .serving)
        fixture.store.close()
        #expect(await port.append(.message(.organisation("root"))).isUnavailable)
        await #expect(throws: StoreError.self) { _ = try await port.importLines([.deviceLine("d", in: "root")]) }
        await #expect(throws: StoreError.self) { try await port.makeDevice("d", in: "root") }
        await #expect(throws: AttachError.unavailable) { _ = try await port.connect("d2") }
        await #expect(throws: StoreError.self) { _ = try await port.pending(for: session.device, after: .start, limit: 10) }
        await #expect(throws: StoreError.self) { try await port.recall(TaskID("t")) }
        await #expect(throws: StoreError.self) { _ = try await port.tasks(TaskFilter(), after: nil, limit: 10) }
        await #expect(throws: StoreError.self) { _ = try await session.tell(TaskID("t"), .opened) }
    }

    @Test("a connection that waits to take over is refused when the store closes", arguments: stores())
    func waitingAttach(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let first = try await fixture.port.connect("d1")
        let other = fixture.other
        let waiting = Task { try await other.connect("d1").id }
        try await fixture.loop.waitForClose(of: first.id, .takenOver)
        fixture.store.close()
        await #expect(throws: AttachError.unavailable) { _ = try await waiting.value }
    }

    @Test("what is handed in before the end is decided and answered", arguments: stores(.restart))
    func close(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (port, other) = (fixture.port, fixture.other)
        let session = try await port.connect("d1")
        async let answers = withTaskGroup(of: Accepted.self) { group in
            for number in 0..<200 {
                group.addTask { await (number % 2 == 0 ? port : other).append(.message(.organisation("east"))) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        try await eventually("the first push") { try await port.tasks(TaskFilter(), after: nil, limit: 1).items.count == 1 }
        let rows = try await session.read()
        session.disconnect(settling: rows)
        fixture.store.close()
        let stored = await answers.compactMap(\.storedTask)
        try await fixture.restart()
        let pending = try await fixture.port.pendingTasks("d1")
        #expect(Set(pending).isDisjoint(with: rows.map(\.task)))
        #expect(Set(pending + rows.map(\.task)) == Set(stored))
        #expect(pending.count == stored.count - rows.count)
    }

    // MARK: Restarting

    @Test("what was told is there after a restart, and nobody is connected", arguments: stores(.restart))
    func restart(_ kind: StoreKind) async throws {
        for ending in kind.claims([.crash]) ? [Ending.close, .crash] : [.close] {
            try await outlives(ending, kind)
        }
    }

    private func outlives(_ ending: Ending, _ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.makeApp("part", scope: "east")
        try await fixture.port.changeApp("part") { $0.disabled = true }
        let request = PushRequest.message(.organisation("east"), tag: "t", bizNo: "b")
        let task = try await fixture.port.push(request)
        let cancelled = try await fixture.port.push(.message(.device("d1")))
        try await fixture.port.recall(cancelled)
        let later = try await fixture.other.push(.message(.device("d1")))
        let session = try await fixture.port.connect("d1")
        let rows = try await session.read()
        session.settle([rows[1]])
        #expect(try await session.tell(task, .opened, "detail") == .counted)
        let told = try await fixture.port.report(later, to: nil).counts
        #expect(told.parts == [.delivered: 1])
        try await fixture.restart(after: ending)

        let (port, other) = (fixture.port, fixture.other)
        #expect(try await port.app(AppKey(unchecked: "part")).disabled)
        #expect(try await port.app(AppKey(unchecked: "part")).scope?.text == "east")
        let device = try await other.device(DeviceToken(unchecked: "d1"))
        #expect(device.organisation.text == "east" && device.user?.text == "u1" && !device.online)
        #expect(try await port.organisation(OrgID(unchecked: "root")).devices == 3)
        #expect(try await port.counts(later) == told)
        #expect(try await port.status(cancelled) == .cancelled)
        #expect(try await port.counts(task).opened == 1)
        #expect(await other.append(request) == .repeated(task))
        #expect(try await port.pendingTasks("d1") == [task])
        #expect(try await other.pendingTasks("d2") == [task])
        #expect(try await port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil).tasks == 1)
        #expect(try await port.recipients(task, .opened) == ["d1"])
        // The old connection's handle is the device's still, and what is new comes after what was.
        let again = try await port.connect("d1")
        #expect(again.device == session.device)
        #expect(try await again.tell(task, .opened) == .known)
        let newest = try await other.push(.message(.user("u1")))
        // What another node has taken comes to this one a little after its answer.
        try await eventually("both are read") { try await again.read().map(\.task) == [task, newest] }
        let positions = try await again.reread().map(\.position)
        #expect(positions == positions.sorted())
        #expect(fixture.loop.faults.isEmpty && fixture.otherLoop.faults.isEmpty)
        again.disconnect()
    }

    @Test(
        "current configurations, their versions and joining outlive a restart",
        arguments: stores(.restart, .configurations, .holders))
    func restartConfigurations(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let older = try await fixture.port.push(.configuration(.organisation("east")))
        let newer = try await fixture.port.push(.configuration(.organisation("east")))
        let test = try await fixture.port.push(.message(.organisation("root"), testOnly: true))
        try await fixture.port.change("d3") { $0.test = false }
        try await fixture.restart()
        let port = fixture.port
        #expect(try await port.status(older) == .superseded)
        try await port.move("d3", to: "east")
        #expect(try await port.pendingTasks("d3") == [newer])
        #expect(try await port.counts(newer).targeted == 3)
        #expect(try await port.counts(test).parts == [.withdrawn: 1])
        let newest = try await fixture.other.push(.configuration(.organisation("east")))
        #expect(try await port.status(newer) == .superseded)
        #expect(try await port.pendingTasks("d3") == [newest])
    }

    @Test("what was answered before a crash under load is there after it, once", arguments: stores(.crash))
    func crash(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let answered = Locked<[Int: TaskID]>([:])
        let isOver = Locked(false)
        let ports = [fixture.port, fixture.other]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    for number in stride(from: caller, to: 100_000, by: 4) where !isOver.withLock({ $0 }) {
                        let accepted = await ports[caller % 2].append(
                            .message(.organisation("root"), bizNo: "b\(number)"))
                        // Afterwards it tells nothing of what the crash has left.
                        if let task = accepted.storedTask { answered.withLock { $0[number] = task } }
                    }
                }
            }
            try await eventually("some answers") { answered.withLock { $0.count } >= 100 }
            let before = answered.withLock { $0 }
            try await fixture.restart(after: .crash)
            isOver.withLock { $0 = true }
            try await group.waitForAll()
            for (number, task) in before {
                let request = PushRequest.message(.organisation("root"), bizNo: "b\(number)")
                #expect(await fixture.port.append(request) == .repeated(task))
            }
            let pending = try await fixture.other.pendingTasks("d1")
            #expect(Set(before.values).isSubset(of: pending) && Set(pending).count == pending.count)
        }
    }

    // MARK: Time

    @Test("an out_biz_no is known for a day", arguments: stores(.lifetimes, .restart))
    func oneDay(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let request = PushRequest.message(.organisation("root"), bizNo: "b")
        let task = try await fixture.port.push(request)
        try await fixture.advance(by: day - hour)
        #expect(await fixture.other.append(request) == .repeated(task))
        try await fixture.restart()
        #expect(await fixture.other.append(request) == .repeated(task))
        try await fixture.advance(by: 2 * hour)
        let second = try await fixture.port.push(.message(.organisation("west"), bizNo: "b"))
        #expect(second != task)
    }

    @Test(
        "thirty days after its end a task is forgotten; a current configuration never is",
        arguments: stores(.lifetimes, .configurations))
    func forgotten(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished(isSmall: true)
        let port = fixture.port
        let current = try await port.push(.configuration(.organisation("east")))
        let old = [
            try await port.push(.message(.organisation("east"), tag: "t")),
            try await port.push(.configuration(.organisation("west"))),
        ]
        try await port.push(.configuration(.organisation("west")))
        let session = try await port.connect("d1")
        session.disconnect(settling: try await session.read())
        try await fixture.advance(by: 29 * day)
        for task in old { _ = try await fixture.other.report(task, to: nil) }
        // A message has three days to live first.
        try await fixture.advance(by: 5 * day)
        for task in old {
            try await eventually("\(task) is forgotten") {
                // A store looks for what is old now and then, when something happens.
                try await fixture.advance(by: 2 * hour)
                try await port.push(.message(.device("d3")))
                do throws(StoreError) {
                    _ = try await port.report(task, to: nil)
                    return false
                } catch {
                    return error == .refused(Refusal(.noSuchTask, field: "task_id"))
                }
            }
        }
        #expect(try await port.report(current, to: nil).counts.parts == [.delivered: 1, .pending: 1])
        #expect(try await port.status(current) == .active)
        try await port.makeDevice("e", in: "east")
        #expect(try await port.pendingTasks("e") == [current])
        // Sums go with the rows, which a store may look for a little later.
        try await eventually("the sums are gone") {
            try await port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil).tasks == 0
        }
    }
}
