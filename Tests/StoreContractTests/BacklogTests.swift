import Push
import StoreContract
import Testing

@Suite("Contract: what a device has still to get")
struct BacklogTests {
    private let token = DeviceToken(unchecked: "d1")

    private func pending(_ port: any StorePort) async throws -> Int {
        try await port.backlog(of: token, patience: .milliseconds(1)).pending
    }

    @Test("what waits is counted, and what is acknowledged, over, or another's is not", arguments: stores())
    func pending(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let empty = try await port.backlog(of: token, patience: .seconds(60))
        #expect(empty.pending == 0 && !empty.isMore)
        #expect(empty.unacknowledged == Unacknowledged.none && empty.oldestUnacknowledgedAt == nil)
        var tasks: [TaskID] = []
        for target in [PushRequest.Target.device("d1"), .user("u1"), .organisation("root"), .device("d1")] {
            tasks.append(try await port.push(.message(target)))
        }
        try await port.push(.message(.device("d3")))
        try await port.push(.message(.organisation("root"), testOnly: true))
        #expect(try await pending(port) == 4)
        _ = try await port.recall(tasks[1])
        #expect(try await pending(port) == 3)
        // One beyond the cursor, and one that the cursor passes.
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle([rows[2]])
        try await eventually("the third is settled") { try await pending(port) == 2 }
        session.settle([rows[0]])
        try await eventually("the first is settled") { try await pending(port) == 1 }
        session.disconnect()
        await #expect(throws: StoreError.refused(Refusal(.noSuchDevice, field: "device_token"))) {
            _ = try await port.backlog(of: DeviceToken(unchecked: "nobody"), patience: .seconds(60))
        }
    }

    @Test("the loop of the connection is asked, whichever it is, and its answer is told", arguments: stores())
    func asking(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let token = token
        let told = Unacknowledged(
            messages: (1...7).map { Unacknowledged.Message(position: Position(raw: 1_000 + $0), age: 100 * Int64($0) + 800) })
        let (port, other) = (fixture.port, fixture.other)
        for (served, loop) in [(fixture.port, fixture.loop), (fixture.other, fixture.otherLoop)] {
            let session = try await served.connect("d1")
            async let asked = port.backlog(of: token, patience: .seconds(60))
            async let also = other.backlog(of: token, patience: .seconds(60))
            try await eventually("both have asked") { loop.inquiries(about: session) == 2 }
            served.tell(.none, of: DeviceSession.newID())
            served.tell(told, of: session.id)
            for backlog in [try await asked, try await also] {
                #expect(backlog.unacknowledged == told)
                let age = try await fixture.now - (backlog.oldestUnacknowledgedAt ?? 0)
                #expect((1_500...61_500).contains(age))
            }
            // Nobody waits for it.
            served.tell(told, of: session.id)
            session.disconnect()
            try await eventually("it is offline") {
                try await fixture.port.backlog(of: token, patience: .milliseconds(1)).unacknowledged == Unacknowledged.none
            }
        }
    }

    @Test("the end of a connection answers who asked about it", arguments: stores())
    func ending(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let (token, port) = (token, fixture.port)
        let session = try await fixture.other.connect("d1")
        async let asked = port.backlog(of: token, patience: .seconds(600))
        try await eventually("it is asked") { fixture.otherLoop.inquiries(about: session) == 1 }
        session.disconnect()
        #expect(try await asked.unacknowledged == Unacknowledged.none)
    }

    @Test("a loop that does not answer is not waited for", arguments: stores())
    func silence(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        try await fixture.port.push(.message(.device("d1")))
        let session = try await fixture.other.connect("d1")
        try await fixture.otherLoop.hanging {
            let backlog = try await fixture.port.backlog(of: token, patience: .milliseconds(20))
            #expect(backlog.pending == 1)
            #expect(backlog.unacknowledged == nil && backlog.oldestUnacknowledgedAt == nil)
        }
        session.disconnect()
    }

    @Test("counting has an end, and says so", arguments: stores())
    func bound(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        func push(_ count: Int) async throws {
            try await withThrowingTaskGroup { group in
                for _ in 0..<count { group.addTask { _ = try await port.push(.message(.device("d1"))) } }
                try await group.waitForAll()
            }
        }
        for _ in 0..<Backlog.most / 500 { try await push(500) }
        let full = try await port.backlog(of: token, patience: .seconds(60))
        #expect(full.pending == Backlog.most && !full.isMore)
        try await push(1)
        let more = try await port.backlog(of: token, patience: .seconds(60))
        #expect(more.pending == Backlog.most && more.isMore)
    }
}
