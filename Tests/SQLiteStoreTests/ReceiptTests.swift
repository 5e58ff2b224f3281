import Push
import Testing

@testable import SQLiteStore

@Suite("Receipts that devices tell")
struct ReceiptTests {
    private func furnished() async throws -> StoreFixture {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        try await fixture.device("e", in: "root", .ios)
        return fixture
    }

    @Test("each event counts once a device, needs no delivery before it, and outlives a restart")
    func once() async throws {
        let fixture = try await furnished()
        let task = try await fixture.push(.message(.organisation("root")))
        let unknown = TaskID("nothing")
        let session = try await fixture.attach("d")
        let device = session.attached.device
        func receipt(_ task: TaskID, _ event: ReceiptEvent, _ detail: String? = nil) -> Receipt {
            Receipt(device: device, task: task, event: event, detail: detail)
        }
        let results = try await fixture.port.commit([
            receipt(task, .opened, "first"), receipt(task, .opened, "second"), receipt(unknown, .opened), receipt(task, .failed),
        ])
        #expect(results == [.counted, .known, .refused, .counted])
        session.detach()
        try await fixture.restart()
        #expect(try await fixture.port.commit([receipt(task, .opened)]) == [.known])
        let counts = try await fixture.counts(task)
        #expect(counts.opened == 1 && counts.failed == 1 && counts.applied == 0 && counts.delivered == 0 && counts.pending == 2)
        let page = try await fixture.port.recipients(of: task, to: nil, state: .opened, after: nil, limit: 10)
        #expect(page.items == [Recipient(device: DeviceToken(unchecked: "d"), detail: "first")])
        #expect(page.next == nil)
    }

    @Test("only for tasks that addressed the device: at their acceptance, or by joining")
    func addressed() async throws {
        let fixture = try await furnished()
        try await fixture.org("other")
        let foreign = try await fixture.push(.message(.organisation("other")))
        let large = try await fixture.push(.message(.organisation("root"), size: 300))
        let configuration = try await fixture.push(.configuration(.organisation("other")))
        let session = try await fixture.attach("d")
        let ios = try await fixture.attach("e")
        func tell(_ session: TestSession, _ task: TaskID) async throws -> [ReceiptResult] {
            try await fixture.port.commit([Receipt(device: session.attached.device, task: task, event: .applied, detail: nil)])
        }
        #expect(try await tell(session, foreign) == [.refused])
        #expect(try await tell(session, large) == [.counted])
        #expect(try await tell(ios, large) == [.refused])
        #expect(try await tell(session, configuration) == [.refused])
        try await fixture.change("d") { $0.organisation = OrgID(unchecked: "other") }
        #expect(try await tell(session, configuration) == [.counted])
        #expect(try await tell(session, foreign) == [.refused])
        // Another app does not see the task at all.
        try await fixture.app("stranger")
        await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "task_id"))) {
            _ = try await fixture.port.report(large, to: AppKey(unchecked: "stranger"))
        }
        session.detach()
        ios.detach()
    }

    @Test("what a device's connection cannot take is skipped, and stays so whatever is told later")
    func skipped() async throws {
        let fixture = try await furnished()
        let task = try await fixture.push(.message(.device("d")))
        let session = try await fixture.attach("d")
        let rows = try await session.pending()
        session.settle(rows, .skipped)
        session.settle(rows, .delivered)
        let counts = try await fixture.counts(task)
        #expect(counts.skippedOversize == 1 && counts.delivered == 0 && counts.pending == 0)
        #expect(try await fixture.port.report(task, to: nil).status == .completed)
        session.detach()
    }

    @Test("facts are written within a second although the wall clock stands still")
    func frozenClock() async throws {
        let fixture = try await furnished()
        let task = try await fixture.push(.message(.device("d")))
        let session = try await fixture.attach("d")
        session.settle(try await session.pending())
        try await eventually { try await fixture.rows("SELECT count(*) FROM counter WHERE delivered = 1") == 1 }
        session.detach()
        _ = task
    }
}
