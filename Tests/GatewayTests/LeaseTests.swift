import Base
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("The lease: whether messages may be handed to connections")
struct LeaseTests {
    /// The lease's clock, which stands still until a test moves it.
    private let time = Locked<Int64>(0)
    private let store: MemoryStore

    private static let second: Int64 = 1_000_000

    /// A lease of a second.
    init() {
        let time = time
        let lease = Lease { time.withLock { $0 } }
        lease.beginTerm(until: Self.second)
        store = MemoryStore(lease: lease)
    }

    private func setTime(_ now: Int64) { time.withLock { $0 = now } }

    /// The lease lapses. A turn that has begun before would find out when it sends; the answer comes in a later one.
    private func lapse(_ device: ScriptedDevice) async throws {
        setTime(Self.second)
        try await device.expectNothing()
    }

    /// Everything that the store has told by now has been applied.
    private func applied(_ gateway: GatewayFixture) async { for shard in gateway.shards { _ = await shard.counters } }

    /// Nothing but the answer to a PINGREQ comes.
    private func expectSilence(_ devices: ScriptedDevice..., of gateway: GatewayFixture) async throws {
        await applied(gateway)
        for device in devices { try await device.expectNothing() }
    }

    @Test("one that has never begun, one that runs, has lapsed, is renewed, and the next")
    func terms() {
        let lease = Lease { time.withLock { $0 } }
        #expect(lease.term() == nil)
        #expect(lease.beginTerm(until: 100) == 1)
        #expect(lease.term() == 1)
        setTime(90)
        #expect(lease.term() == 1 && lease.term(leaving: 9) == 1 && lease.term(leaving: 10) == nil)
        setTime(100)
        #expect(lease.term() == nil && lease.lastTerm == 1)
        lease.extend(to: 150)
        #expect(lease.term() == 1)
        lease.beginTerm(until: 200)
        #expect(lease.term() == 2)
        #expect(Lease.unlimited.term(leaving: .max) == 0 && Lease.unlimited.lastTerm == 0)
    }

    @Test("once it has lapsed nothing is delivered; acknowledgements count, sockets stay; in the next term all comes, once")
    func lapsed() async throws {
        try await GatewayFixture.run(devices: ["d1", "d2"], store: store) { gateway in
            let (live, full) = (try await gateway.connect("d1"), try await gateway.connect("d2"))
            gateway.push("a")
            for index in 0..<25 { gateway.push("\(index)", to: "d2") }
            let first = try await live.message()
            var window: [Publish] = []
            while window.count < 20 { window.append(try await full.message()) }
            try await lapse(live)
            gateway.push("b")
            gateway.pushToAll("c")
            let cancelled = gateway.push("withdrawn")
            try await expectSilence(live, full, of: gateway)
            // What it has acknowledged makes room, for nothing.
            await live.acknowledge(first)
            for message in window { await full.acknowledge(message) }
            try await gateway.until("they are counted") {
                gateway.delivered("d1").count == 1 && gateway.delivered("d2").count == 20
            }
            try await expectSilence(live, full, of: gateway)
            #expect(gateway.store.calls.detached.isEmpty)
            // Another node has gone on without this one.
            gateway.store.commit { log in (log.end(cancelled.task), []) }
            store.beginTerm(until: 2 * Self.second)
            #expect(try await live.takeMessages(2).map(\.text) == ["b", "c"])
            #expect(try await full.takeMessages(6).map(\.text) == (20..<25).map { "\($0)" } + ["c"])
            gateway.push("d")
            #expect(try await live.takeMessages(1).map(\.text) == ["d"])
            try await expectSilence(live, full, of: gateway)
            try await gateway.until("all are counted") {
                gateway.delivered("d1").count == 4 && gateway.delivered("d2").count == 26
            }
        }
    }

    @Test("a loop that has not been told of the next term delivers nothing, though the lease runs and it never saw it lapse")
    func feedOfThePast() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let device = try await gateway.connect()
            try await expectSilence(device, of: gateway)
            store.lease.beginTerm(until: 2 * Self.second)
            // A turn that began before that term would find out when it sends.
            try await device.expectNothing()
            let cancelled = gateway.push("a")
            gateway.push("b")
            try await expectSilence(device, of: gateway)
            gateway.store.commit { log in (log.end(cancelled.task), []) }
            store.leaveOut { _ in }
            #expect(try await device.takeMessages(1).map(\.text) == ["b"])
            try await expectSilence(device, of: gateway)
        }
    }

    @Test("one that is renewed late, with nobody gone on meanwhile: what was held up goes on by itself")
    func renewedLate() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let device = try await gateway.connect()
            try await lapse(device)
            gateway.push("a")
            try await expectSilence(device, of: gateway)
            store.lease.extend(to: 2 * Self.second)
            #expect(try await device.takeMessages(1).map(\.text) == ["a"])
            try await expectSilence(device, of: gateway)
        }
    }

    @Test("a device that connects meanwhile is let in where the store says so, and gets its messages in the next term")
    func connecting() async throws {
        try await GatewayFixture.run(devices: ["d1", "d2"], store: store) { gateway in
            try await lapse(try await gateway.connect("d2"))
            gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            try await expectSilence(device, of: gateway)
            store.beginTerm(until: 2 * Self.second)
            #expect(try await device.takeMessages(1).map(\.text) == ["a"])
        }
    }

    @Test("a page that was asked for before the lapse is not delivered after it")
    func latePage() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let cancelled = gateway.push("a")
            gateway.push("b")
            gateway.store.behave { $0.holdsPages = true }
            let device = try await gateway.connect()
            try await gateway.until("the page is read") { gateway.store.calls.pages == 1 }
            try await lapse(device)
            gateway.store.releasePages()
            try await expectSilence(device, of: gateway)
            gateway.store.commit { log in (log.end(cancelled.task), []) }
            store.beginTerm(until: 2 * Self.second)
            #expect(try await device.takeMessages(1).map(\.text) == ["b"])
            try await expectSilence(device, of: gateway)
        }
    }

    @Test("a process that stands still between writing and sending sends nothing: the connection ends, the message comes again")
    func stoodStill() async throws {
        let tracer = Tracer()
        let trace = try #require(tracer.begin(.device(DeviceToken(unchecked: "d1")), until: .max))
        let time = time
        _ = tracer.follow(trace.id) { event in if event?.name == "sent" { time.withLock { $0 = Self.second } } }
        try await GatewayFixture.run(store: store, tracer: tracer) { gateway in
            let device = try await gateway.connect()
            gateway.push("a")
            await #expect(throws: ScriptedDevice.Failure.closed) { try await device.next() }
            try await gateway.until("it is detached") { gateway.store.calls.detached.count == 1 }
            #expect(gateway.delivered().isEmpty)
            tracer.end(trace.id)
            store.beginTerm(until: 2 * Self.second)
            let again = try await gateway.connect()
            #expect(try await again.takeMessages(1).map(\.text) == ["a"])
        }
    }
}
