import Push
import StoreContract
import Testing

@Suite("Contract: receipts that devices tell")
struct ReceiptTests {
    @Test("each event counts once a device and needs no delivery before it", arguments: stores())
    func once(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        let session = try await fixture.port.connect("d1")
        let results = try await fixture.port.commit([
            session.receipt(task, .opened, "first"), session.receipt(task, .opened, "second"),
            session.receipt(TaskID("nothing"), .opened), session.receipt(task, .failed),
        ])
        #expect(results == [.counted, .known, .refused, .counted])
        session.disconnect()
        let again = try await fixture.other.connect("d1")
        #expect(try await again.tell(task, .opened, "third") == .known)
        let third = try await fixture.other.connect("d3")
        #expect(try await third.tell(task, .opened) == .counted)
        let counts = try await fixture.port.counts(task)
        #expect(counts.opened == 2 && counts.failed == 1 && counts.applied == 0)
        #expect(counts.parts == [.pending: 3])
        let page = try await fixture.other.recipients(of: task, to: nil, state: .opened, after: nil, limit: 10)
        let expected = [
            Recipient(device: DeviceToken(unchecked: "d1"), detail: "first"),
            Recipient(device: DeviceToken(unchecked: "d3"), detail: nil),
        ]
        #expect(page.items.sorted { $0.device.text < $1.device.text } == expected && page.next == nil)
        #expect(try await fixture.port.recipients(task, .failed) == ["d1"])
        #expect(try await fixture.port.recipients(task, .applied).isEmpty)
    }

    @Test("only for tasks that addressed the device when they were accepted", arguments: stores())
    func addressed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let foreign = try await port.push(.message(.organisation("west")))
        let large = try await port.push(.message(.organisation("east"), size: 300))
        let test = try await port.push(.message(.organisation("root"), testOnly: true))
        let (first, ios) = (try await port.connect("d1"), try await port.connect("d2"))
        #expect(try await first.tell(foreign, .applied) == .refused)
        #expect(try await first.tell(large, .applied) == .counted)
        #expect(try await ios.tell(large, .applied) == .refused)
        #expect(try await first.tell(test, .applied) == .refused)
        try await port.move("d1", to: "west")
        #expect(try await first.tell(foreign, .applied) == .refused)
        #expect(try await first.tell(large, .opened) == .counted)
        #expect(try await port.counts(foreign).applied == 0)
    }

    @Test("a device that joined a configuration may tell of it", arguments: stores(.configurations))
    func joined(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.configuration(.organisation("west")))
        let session = try await fixture.port.connect("d1")
        #expect(try await session.tell(task, .applied) == .refused)
        try await fixture.port.move("d1", to: "west")
        #expect(try await session.tell(task, .applied) == .counted)
        session.disconnect()
    }

    @Test("a task that has ended is told of all the same", arguments: stores())
    func ended(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let cancelled = try await fixture.port.push(.message(.device("d1")))
        let expired = try await fixture.port.push(.message(.device("d1"), expires: try await fixture.now + hour))
        try await fixture.port.recall(cancelled)
        try await fixture.advance(by: 2 * hour)
        let session = try await fixture.other.connect("d1")
        for task in [cancelled, expired] { #expect(try await session.tell(task, .opened) == .counted) }
        session.disconnect()
    }

    @Test("a new holder may not tell of the old one's tasks", arguments: stores(.holders))
    func holder(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let task = try await fixture.port.push(.message(.organisation("root")))
        try await fixture.port.give("d1", to: "u2")
        let session = try await fixture.port.connect("d1")
        #expect(try await session.tell(task, .opened) == .refused)
        #expect(try await fixture.port.counts(task).opened == 0)
        session.disconnect()
    }
}
