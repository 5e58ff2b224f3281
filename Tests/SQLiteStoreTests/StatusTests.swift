import Push
import StoreContract
import Testing

@testable import SQLiteStore

@Suite("What a store tells of itself")
struct StatusTests {
    @Test("nobody waits for a store that keeps up, and its files take room")
    func atRest() async throws {
        let fixture = try await SQLiteFixture()
        try await fixture.port.makeOrg("root")
        let status = fixture.store.status
        #expect(status.health == .serving && status.waiting == 0)
        let storage = try #require(fixture.store.storage)
        #expect(storage.database > 0 && storage.log > 0 && storage.free > 0)
    }

    @Test("a writer that stands still is behind, tells who waits since when, and is not behind when it has kept up for a while")
    func stalledWriter() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk { options in
            options.tuning.lateness = .init(
                late: 100_000_000, patience: 100_000_000, prompt: 50_000_000, recovery: 200_000_000)
        }
        let (port, disk) = (fixture.port, fixture.disk)
        disk.holdSyncs()
        // A store that is closed waits for its disk.
        defer { disk.releaseSyncs() }
        async let held = port.makeOrg("first")
        try await eventually { disk.heldSyncs == 1 }
        async let waiting = port.makeOrg("second")
        try await eventually { fixture.store.status.waiting == 1 }
        // Nobody but the one in the writer's hands need have waited.
        try await eventually { port.health == .behind }
        #expect(fixture.store.status.longestWait >= 200_000_000)
        disk.releaseSyncs()
        #expect(try await [held, waiting].allSatisfy { $0 == .created(secret: nil) })
        // It was late a moment ago.
        #expect(port.health == .behind)
        try await eventually { port.health == .serving }
        #expect(fixture.store.status.longestWait == 0)
    }

    @Test("a push waits for a disk that stands still no longer than it may, and whoever comes then is refused at once")
    func boundedWait() async throws {
        let fixture = try await SQLiteFixture.onFaultyDisk(devices: ["d"]) { $0.longestWait = 1_000 }
        let (port, disk) = (fixture.port, fixture.disk)
        disk.holdSyncs()
        defer { disk.releaseSyncs() }
        async let inHand = port.append(.message(.device("d")))
        try await eventually { disk.heldSyncs == 1 }
        async let waiting = port.append(.message(.device("d")))
        try await eventually { fixture.store.status.longestWait >= 1_200_000_000 }
        #expect(await port.append(.message(.device("d"))).isUnavailable)
        // What an operator asks for has no such bound.
        async let change = port.makeOrg("second")
        try await eventually { fixture.store.status.waiting == 2 }
        disk.releaseSyncs()
        let stored = try #require(await inHand.storedTask)
        #expect(await waiting.isUnavailable)
        #expect(try await change == .created(secret: nil))
        let next = try await port.push(.message(.device("d")))
        #expect(try await port.pendingTasks("d") == [stored, next])
    }
}
