import Push
import StoreContract
import Testing

@Suite("Contract: why a device has a task, or has it not")
struct ExplanationTests {
    private let token = DeviceToken(unchecked: "d1")

    private func explain(
        _ task: TaskID, _ port: any StorePort, to token: DeviceToken? = nil, patience: Duration = .seconds(60)
    ) async throws -> Explanation {
        try await port.explain(task, to: token ?? self.token, patience: patience)
    }

    @Test("one that was in the target waits for its device, is then acknowledged, and says so", arguments: stores())
    func addressed(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let first = try await port.push(.message(.organisation("root")))
        let second = try await port.push(.message(.device("d1")))
        var explanation = try await explain(second, port)
        #expect(explanation.standing == .addressed && explanation.state == .pending && explanation.reason == .offline)
        #expect(explanation.task.task == second && explanation.device.token == token && !explanation.device.online)
        let now = try await fixture.now
        #expect(
            explanation.wait
                == Explanation.Wait(ahead: 1, isMore: false, behind: first, unacknowledged: Unacknowledged.none, now: now))
        #expect(try await explain(first, port).wait?.ahead == 0)

        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle([rows[0]])
        // The loop of this connection does not answer.
        explanation = try await explain(first, port, patience: .milliseconds(1))
        #expect(explanation.state == .delivered && explanation.reason == .ended && explanation.wait == nil)
        _ = try await port.recall(second)
        #expect(try await explain(second, port, patience: .milliseconds(1)).state == .cancelled)
        session.disconnect()
    }

    @Test("one that waits while its device is connected waits behind others, is sent, or comes next", arguments: stores())
    func connected(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let first = try await port.push(.message(.device("d1")))
        let second = try await port.push(.message(.device("d1")))
        let session = try await port.connect("d1")
        let messages = try await session.read().map { Unacknowledged.Message(position: $0.position, age: 5) }
        let loop = fixture.loop
        _ = loop.takeEvents()
        for (count, firstReason, secondReason) in [
            (0, Explanation.Reason.catchingUp, Explanation.Reason.catchingUp), (1, .sent, .waiting), (2, .sent, .sent),
        ] {
            let told = Unacknowledged(messages: Array(messages.prefix(count)))
            for (task, reason) in [(first, firstReason), (second, secondReason)] {
                async let asked = explain(task, port)
                try await eventually("it has asked") { loop.inquiries(about: session) == 1 }
                port.tell(told, of: session.id)
                #expect(try await asked.reason == reason)
                _ = loop.takeEvents()
            }
        }
        let untold = try await port.explain(first, to: token, patience: .milliseconds(1))
        #expect(untold.reason == .untold && untold.wait?.unacknowledged == nil)
        session.disconnect()
    }

    @Test("the connection tells when it was sent, and when it was acknowledged for as long as it remembers", arguments: stores())
    func times(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let tasks = [try await port.push(.message(.device("d1"))), try await port.push(.message(.device("d1")))]
        let session = try await port.connect("d1")
        let rows = try await session.read()
        session.settle([rows[1]])
        let told = Unacknowledged(messages: [
            Unacknowledged.Message(position: rows[0].position, age: 500_000),
            Unacknowledged.Message(position: rows[1].position, age: 0, isAcknowledged: true),
        ])
        var found: [Explanation] = []
        for task in tasks {
            async let asked = explain(task, port)
            try await eventually("it has asked") { fixture.loop.inquiries(about: session) == 1 }
            port.tell(told, of: session.id)
            found.append(try await asked)
            _ = fixture.loop.takeEvents()
        }
        let now = try await fixture.now
        #expect(found[0].reason == .sent && found[0].acknowledgedAt == nil)
        // Never before there was such a task.
        #expect(found[0].sentAt == found[0].task.createdAt)
        #expect(found[1].state == .delivered && found[1].sentAt == nil)
        #expect((found[1].task.createdAt...now).contains(found[1].acknowledgedAt ?? 0))
        session.disconnect()
    }

    @Test("one that was for others says so, and what there is not is refused", arguments: stores())
    func outside(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let others = try await port.push(.message(.device("d3")))
        let explanation = try await explain(others, port)
        #expect(explanation.standing == .outside && explanation.state == nil && explanation.reason == .notInTarget)
        #expect(explanation.membership != nil && explanation.wait == nil)
        await #expect(throws: StoreError.refused(Refusal(.noSuchTask, field: "task_id"))) {
            _ = try await explain(TaskID("none"), port)
        }
        await #expect {
            _ = try await explain(others, port, to: DeviceToken(unchecked: "nobody"))
        } throws: { error in
            guard case StoreError.refused(let refusal) = error else { return false }
            return refusal.code == .noSuchDevice
        }
    }
}
