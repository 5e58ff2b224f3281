import Push
import StoreContract
import Testing

@Suite("Contract: a database that does not answer")
struct DistanceTests {
    @Test("is told as such, refuses nobody for good, and heals by itself", arguments: stores(.distance))
    func unreachable(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        let port = fixture.port
        let session = try await port.connect("d1")
        fixture.store.cutOff(true)
        try await eventually("it is noticed") { if case .unreachable = port.health { true } else { false } }
        // Certainly not stored, and soon, so that callers may try again.
        guard case .unavailable(let delay) = await port.append(.message(.device("d1"))) else {
            Issue.record("it was taken")
            return
        }
        #expect(delay > .zero)
        await #expect(throws: AttachError.unavailable) { try await port.connect("d2") }
        await expectUnavailable { _ = try await port.pending(for: session.device, after: .start, limit: 9) }
        await expectUnavailable { _ = try await port.app(AppKey(unchecked: "app")) }
        let (fresh, loop) = fixture.newPort()
        await expectUnavailable { _ = try await fresh.subscribe { _ in } }
        fixture.store.cutOff(false)
        try await eventually("it is healed") { port.health == .serving }
        // What was asked in vain is asked again.
        try await loop.follow(fresh)
        _ = try await port.connect("d2")
        let task = try await port.push(.message(.device("d1")))
        #expect(try await session.reread().map(\.task) == [task])
    }

    @Test("it is closed in bounded time all the same, and refuses what is asked then", arguments: stores(.distance))
    func close(_ kind: StoreKind) async throws {
        let fixture = try await kind.furnished()
        fixture.store.cutOff(true)
        let begin = ContinuousClock.now
        fixture.store.close()
        // What a server has left for it of the time after which it is given up.
        #expect(ContinuousClock.now - begin < .seconds(1))
        guard case .unavailable = await fixture.port.append(.message(.device("d1"))) else {
            Issue.record("it was taken")
            return
        }
    }

    private func expectUnavailable(_ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("it was answered")
        } catch StoreError.unavailable {
        } catch {
            Issue.record("\(error)")
        }
    }
}
