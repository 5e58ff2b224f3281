import Push
import Testing

@testable import SQLiteStore

@Suite("Takeover")
struct TakeoverTests {
    private func furnished() async throws -> StoreFixture {
        let fixture = try await StoreFixture()
        try await fixture.app("app")
        try await fixture.org("root")
        try await fixture.device("d", in: "root")
        return fixture
    }

    /// A connection that has to wait; what became of it.
    private func attach(_ port: any StorePort, _ session: UInt64) -> Task<Result<Attached, AttachError>, Never> {
        Task {
            do throws(AttachError) {
                return .success(
                    try await port.attach(
                        DeviceToken(unchecked: "d"), secret: Array("secret".utf8), session: SessionID(raw: session)))
            } catch {
                return .failure(error)
            }
        }
    }

    private func failure(of waiting: Task<Result<Attached, AttachError>, Never>) async -> AttachError? {
        if case .failure(let error) = await waiting.value { error } else { nil }
    }

    private func waitForClose(_ fixture: StoreFixture, _ session: SessionID) async throws {
        try await eventually {
            fixture.loop.takeEntries().contains { if case .close(_, session, _) = $0 { true } else { false } }
        }
    }

    @Test("the last of three connections wins; the one that waited is told, the first one's settling counts")
    func three() async throws {
        let fixture = try await furnished()
        let tasks = [try await fixture.push(.message(.device("d"))), try await fixture.push(.message(.device("d")))]
        let first = try await fixture.attach("d")
        let rows = try await first.pending()
        let second = attach(fixture.port, 1_002)
        try await waitForClose(fixture, first.session)
        let third = attach(fixture.port, 1_003)
        #expect(await failure(of: second) == .takenOver)
        first.detach(settling: [rows[0]])
        let attached = try await third.value.get()
        let session = TestSession(port: fixture.port, session: SessionID(raw: 1_003), attached: attached)
        #expect(try await session.pending().map(\.task) == [tasks[1]])
        // What the first says twice frees nobody.
        first.detach()
        let fourth = attach(fixture.port, 1_004)
        try await waitForClose(fixture, SessionID(raw: 1_003))
        session.detach()
        _ = try await fourth.value.get()
    }

    @Test("many connections of one device: one has it, the others are told")
    func race() async throws {
        let fixture = try await furnished()
        let first = try await fixture.attach("d")
        let others = (0..<30).map { attach(fixture.port, 2_000 + $0) }
        // Twenty-nine are refused while the first still has the device.
        var refused = 0
        try await waitForClose(fixture, first.session)
        _ = try await fixture.port.device(DeviceToken(unchecked: "d"))
        try await eventually { fixture.waitingJobs == 0 }
        first.detach()
        var winners: [SessionID] = []
        for (number, other) in others.enumerated() {
            switch await other.value {
            case .success(let attached):
                winners.append(SessionID(raw: UInt64(2_000 + number)))
                fixture.port.detach(
                    attached.device, session: SessionID(raw: UInt64(2_000 + number)), settledUpTo: .start)
            case .failure(let error):
                #expect(error == .takenOver)
                refused += 1
            }
        }
        #expect(winners.count >= 1 && winners.count + refused == 30)
        try await eventually { try await !fixture.port.device(DeviceToken(unchecked: "d")).online }
    }

    @Test("a device that is deleted while a connection waits is not attached")
    func deleted() async throws {
        let fixture = try await furnished()
        let first = try await fixture.attach("d")
        let second = attach(fixture.port, 1_002)
        try await waitForClose(fixture, first.session)
        try await fixture.remove("d")
        first.detach()
        #expect(await failure(of: second) == .unknownDevice)
    }

    @Test("a secret that changes while a connection waits is the one that counts")
    func secret() async throws {
        let fixture = try await furnished()
        let first = try await fixture.attach("d")
        let second = attach(fixture.port, 1_002)
        try await waitForClose(fixture, first.session)
        try await fixture.change("d") { $0.secret = "other" }
        first.detach()
        #expect(await failure(of: second) == .wrongSecret)
    }

    @Test("a device that is registered anew while a connection waits is another device, and has nothing of the old one's")
    func registeredAnew() async throws {
        let fixture = try await furnished()
        try await fixture.push(.message(.device("d")))
        let first = try await fixture.attach("d")
        let second = attach(fixture.port, 1_002)
        try await waitForClose(fixture, first.session)
        try await fixture.remove("d")
        try await fixture.device("d", in: "root")
        first.detach()
        let attached = try await second.value.get()
        #expect(attached.device != first.attached.device)
        let session = TestSession(port: fixture.port, session: SessionID(raw: 1_002), attached: attached)
        #expect(try await session.pending().isEmpty)
        session.detach()
    }
}
