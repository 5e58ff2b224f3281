import Push
import StoreContract
import Testing

@Suite("Contract: what becomes of a task's devices")
struct CountTests {
    @Test("what was acknowledged is counted, listed and not sent again", arguments: stores())
    func acknowledged(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let first = try await port.push(.message(.organisation("root"), tag: "t"))
        let second = try await port.push(.message(.organisation("root"), tag: "t"))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        #expect(rows.map(\.task) == [first, second])
        session.settle([rows[1]])
        session.disconnect()
        #expect(try await fixture.other.pendingTasks("d1") == [first])
        #expect(try await port.counts(first).delivered == 0)
        #expect(try await port.counts(second).parts == [.delivered: 1, .pending: 2])
        #expect(try await port.recipients(second, .delivered) == ["d1"])
        #expect(try await port.recipients(second, .pending).sorted() == ["d2", "d3"])
        let totals = try await port.totals(app: AppKey(unchecked: "app"), tag: "t", from: nil, to: nil)
        #expect(totals.tasks == 2 && totals.counts.targeted == 6 && totals.counts.delivered == 1)
    }

    @Test("an acknowledgement is in the other port's reports too", arguments: stores())
    func byOther(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        for (token, port) in [("d1", fixture.port), ("d3", fixture.other)] {
            let session = try await port.connect(token)
            session.settle(try await session.read())
            #expect(try await port.recipients(task, .delivered).contains(token))
        }
        for port in [fixture.port, fixture.other] {
            #expect(try await fixture.counts(task, by: port) { $0.delivered == 2 }.parts == [.delivered: 2, .pending: 1])
        }
    }

    @Test("an acknowledgement counts once, however often and by whomever it is told", arguments: stores())
    func once(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        let session = try await fixture.port.connect("d1")
        let rows = try await session.read()
        session.settle(rows)
        session.settleAgain(rows + rows, by: fixture.port)
        session.settleAgain(rows, by: fixture.other)
        #expect(try await fixture.port.counts(task).parts == [.delivered: 1, .pending: 2])
        session.disconnect()
        session.settleAgain(rows, by: fixture.port)
        #expect(try await fixture.other.pendingTasks("d1").isEmpty)
        for port in [fixture.port, fixture.other] {
            #expect(try await fixture.counts(task, by: port) { $0.delivered == 1 }.parts == [.delivered: 1, .pending: 2])
            #expect(try await port.recipients(task, .delivered) == ["d1"])
        }
    }

    @Test("a message that nobody waits for any more is completed, for good", arguments: stores())
    func completed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d1"), expires: try await fixture.now + hour))
        #expect(try await port.status(task) == .active)
        let session = try await port.connect("d1")
        session.settle(try await session.read())
        #expect(try await port.status(task) == .completed)
        try await port.recall(task)
        #expect(try await port.status(task) == .completed)
        try await fixture.advance(by: 2 * hour)
        let report = try await port.report(task, to: nil)
        #expect(report.status == .completed && report.counts.parts == [.delivered: 1])
        session.disconnect()
    }

    @Test("what expires is not handed out any more; an acknowledgement that comes later still counts", arguments: stores())
    func expired(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.organisation("east"), expires: try await fixture.now + hour))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        #expect(rows.map(\.task) == [task])
        try await fixture.advance(by: 2 * hour)
        #expect(try await port.pendingTasks("d2").isEmpty)
        #expect(try await fixture.other.report(task, to: nil).status == .expired)
        #expect(try await port.counts(task).parts == [.expired: 2])
        #expect(try await port.recipients(task, .expired).sorted() == ["d1", "d2"])
        session.settle(rows)
        let report = try await port.report(task, to: nil)
        #expect(report.counts.parts == [.expired: 1, .delivered: 1] && report.status == .expired)
        session.disconnect()
    }

    @Test("a task is expired from its very millisecond on", arguments: stores(.standingClock))
    func lastMillisecond(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.device("d1"), expires: try await fixture.now + 10))
        try await fixture.advance(by: 9)
        #expect(try await fixture.port.pendingTasks("d1") == [task])
        #expect(try await fixture.port.status(task) == .active)
        try await fixture.advance(by: 1)
        #expect(try await fixture.port.pendingTasks("d1").isEmpty)
        #expect(try await fixture.other.status(task) == .expired)
    }

    @Test("a cancelled task is told to both loops before the answer, and nothing more of it is handed out", arguments: stores())
    func cancelled(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.organisation("east")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        try await port.cancel(task, by: AppKey(unchecked: "app"))
        for loop in [fixture.loop, fixture.otherLoop] {
            #expect(loop.takeEntries().contains { if case .ended(task, _) = $0 { true } else { false } })
        }
        #expect(try await session.reread().isEmpty)
        #expect(try await fixture.other.pendingTasks("d2").isEmpty)
        #expect(try await port.counts(task).parts == [.cancelled: 2])
        // Handed over before: it may still arrive, and counts.
        session.settle(rows)
        let report = try await port.report(task, to: nil)
        #expect(report.counts.parts == [.cancelled: 1, .delivered: 1] && report.status == .cancelled)
        #expect(try await port.recipients(task, .cancelled) == ["d2"])
        session.disconnect()
    }

    @Test("cancelling what has ended changes nothing, and tells how it ended", arguments: stores())
    func cancelledAgain(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let expired = try await port.push(.message(.device("d1"), expires: try await fixture.now + hour))
        try await fixture.advance(by: 2 * hour)
        let cancelled = try await port.push(.message(.device("d1")))
        for _ in 0..<2 {
            #expect(try await port.recall(cancelled) == .cancelled)
            #expect(try await fixture.other.recall(expired) == .expired)
        }
        #expect(try await port.status(expired) == .expired)
        #expect(try await port.counts(expired).parts == [.expired: 1])
        #expect(try await port.status(cancelled) == .cancelled)
        let completed = try await port.push(.message(.device("d2")))
        let session = try await fixture.other.connect("d2")
        session.settle(try await session.read())
        #expect(try await fixture.counts(completed, by: port) { $0.delivered == 1 }.delivered == 1)
        #expect(try await port.cancel(completed, by: AppKey(unchecked: "app")) == .completed)
        session.disconnect()
    }

    @Test("a task is its app's own, for reports, lists and cancelling", arguments: stores())
    func ownership(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        try await port.makeApp("stranger")
        let task = try await port.push(.message(.organisation("root")))
        let noSuchTask = StoreError.refused(Refusal(.noSuchTask, field: "task_id"))
        for (name, app) in [(task, AppKey(unchecked: "stranger")), (TaskID("none"), AppKey(unchecked: "app"))] {
            await #expect(throws: noSuchTask) { _ = try await port.report(name, to: app) }
            await #expect(throws: noSuchTask) { try await port.cancel(name, by: app) }
            await #expect(throws: noSuchTask) {
                _ = try await port.recipients(of: name, to: app, state: .pending, after: nil, limit: 10)
            }
        }
        #expect(try await port.status(task) == .active)
    }

    @Test("what a device's connection cannot take is skipped, and stays so whatever is told later", arguments: stores())
    func skipped(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d1")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle(rows, .skipped)
        session.settleAgain(rows, by: port)
        let report = try await port.report(task, to: nil)
        #expect(report.counts.parts == [.skippedOversize: 1] && report.status == .completed)
        #expect(try await port.recipients(task, .skippedOversize) == ["d1"])
        session.disconnect()
        #expect(try await port.pendingTasks("d1").isEmpty)
    }

    @Test("what a device rejects is settled as that, once, with the reason code, and does not come again", arguments: stores())
    func rejected(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d1")))
        let group = try await port.push(.message(.organisation("east")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle(rows, .rejected(reasonCode: 0x97))
        session.settleAgain(rows, by: port)
        let report = try await port.report(task, to: nil)
        #expect(report.counts.parts == [.rejected: 1] && report.status == .completed)
        #expect(try await port.counts(group).parts == [.rejected: 1, .pending: 1])
        for task in [task, group] {
            let page = try await port.recipients(of: task, to: nil, state: .rejected, after: nil, limit: 10)
            #expect(page.items == [Recipient(device: DeviceToken(unchecked: "d1"), detail: "0x97")])
            #expect(try await !port.recipients(task, .pending).contains("d1"))
        }
        session.disconnect()
        #expect(try await port.pendingTasks("d1").isEmpty)
    }

    @Test("a delivery stays one whatever is told later", arguments: stores())
    func rejectedLater(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let task = try await port.push(.message(.device("d1")))
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle(rows)
        session.settle(rows, .rejected(reasonCode: 0x80))
        #expect(try await port.counts(task).parts == [.delivered: 1])
        #expect(try await port.recipients(task, .rejected).isEmpty)
    }

    @Test(
        "a device that moves still receives what was accepted before, and from then on what is pushed to its new place",
        arguments: stores())
    func moved(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let before = try await port.push(.message(.organisation("east")))
        let elsewhere = try await port.push(.message(.organisation("west")))
        try await port.move("d1", to: "west")
        let (east, west) = (
            try await port.push(.message(.organisation("east"))), try await port.push(.message(.organisation("west")))
        )
        #expect(try await fixture.other.pendingTasks("d1") == [before, west])
        for (task, list) in [(before, ["d1", "d2"]), (elsewhere, ["d3"]), (east, ["d2"]), (west, ["d1", "d3"])] {
            #expect(try await port.recipients(task, .pending).sorted() == list)
            #expect(try await port.counts(task).targeted == list.count)
        }
    }

    @Test("an organisation that moves takes its devices with it, from then on", arguments: stores())
    func movedTree(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let before = try await port.push(.message(.organisation("west")))
        try await port.moveOrg("east", under: "west")
        let west = try await port.push(.message(.organisation("west")))
        let root = try await port.push(.message(.organisation("root")))
        #expect(try await port.pendingTasks("d1") == [west, root])
        #expect(try await port.counts(before).targeted == 1)
        #expect(try await port.counts(west).targeted == 3)
        try await port.moveOrg("west", under: nil)
        #expect(try await port.counts(try await port.push(.message(.organisation("root")))).targeted == 0)
        #expect(try await port.pendingTasks("d3") == [before, west, root])
    }

    @Test("a device that was registered later is in no earlier task", arguments: stores())
    func registeredLater(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        try await fixture.port.makeDevice("d4", in: "root")
        #expect(try await fixture.other.pendingTasks("d4").isEmpty)
        #expect(try await fixture.port.counts(task).targeted == 3)
    }

    @Test("a removed app's tasks stay deliverable", arguments: stores())
    func appRemoved(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.device("d1")))
        _ = try await fixture.port.apply(.removeApp(AppKey(unchecked: "app")))
        #expect(try await fixture.port.refusal(of: .message(.device("d1"))).code == .unknownAppKey)
        #expect(try await fixture.other.pendingTasks("d1") == [task])
        #expect(try await fixture.port.status(task) == .active)
    }
}
