import Base
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

/// Devices that do not acknowledge.
@Suite("Devices that do not acknowledge")
struct SilentDeviceTests {
    @Test("one missing PUBACK makes a device deaf no longer than its message lives", arguments: [false, true])
    func deaf(expires: Bool) async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect()
            let poison = gateway.store.push(
                to: .device(DeviceToken(unchecked: "d1")), expires: expires ? WallClock.milliseconds + 3_000 : nil,
                payload: Array("poison".utf8))
            let unacknowledged = try await device.message()
            #expect(unacknowledged.text == "poison")
            for index in 0..<40 { gateway.push("\(index)") }
            #expect(try await device.takeMessages(19).map(\.text) == (0..<19).map { "\($0)" })
            if !expires {
                try await device.expectNothing()
                gateway.store.commit { log in ((), [log.end(poison.task)]) }
            }
            #expect(try await device.takeMessages(21).map(\.text) == (19..<40).map { "\($0)" })
            // Its PUBACK still counts.
            await device.acknowledge(unacknowledged)
            try await gateway.until("all are counted") { gateway.delivered().count == 41 }
        }
    }

    @Test(
        "a message that is not acknowledged in time closes the connection, and comes again",
        arguments: [ProtocolVersion.v311, .v5])
    func overdue(version: ProtocolVersion) async throws {
        let overdue = OverdueDevices()
        let configuration = GatewayConfiguration(acknowledgementTimeout: .milliseconds(300))
        try await GatewayFixture.run(configuration, overdue: overdue) { gateway in
            let device = try await gateway.connect(version: version)
            gateway.push("a")
            gateway.push("b")
            _ = try await device.message()
            await device.acknowledge(try await device.message())
            if version == .v5 {
                #expect(try await device.next() == .disconnect(Disconnect(reasonCode: .implementationSpecificError)))
            }
            try await device.waitForClose()
            #expect(overdue.count == 1)
            #expect(await gateway.shards[0].counters.overdue == 1)
            let again = try await gateway.connect(version: version)
            #expect(try await again.takeMessages(1).map(\.text) == ["a"])
            try await gateway.until("both are counted") { gateway.delivered().count == 2 }
            try await again.expectNothing()
        }
    }

    @Test("what a device acknowledges while the store can remember no more stays unacknowledged, and comes again")
    func untaken() async throws {
        let configuration = GatewayConfiguration(acknowledgementTimeout: .milliseconds(300))
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await gateway.connect()
            gateway.store.behave { $0.isFull = true }
            gateway.push("a")
            #expect(try await device.takeMessages(1).map(\.text) == ["a"])
            // This one was taken, with the answer that it was the last.
            try await gateway.until("it is counted") { gateway.delivered().count == 1 }
            gateway.push("b")
            #expect(try await device.takeMessages(1).map(\.text) == ["b"])
            try await gateway.until("it is not taken") { await gateway.shards[0].counters.untaken == 1 }
            #expect(gateway.delivered().count == 1)
            try await device.waitForClose()
            gateway.store.behave { $0.isFull = false }
            let again = try await gateway.connect()
            #expect(try await again.takeMessages(1).map(\.text) == ["b"])
            try await gateway.until("both are counted") { gateway.delivered().count == 2 }
        }
    }

    @Test("who acknowledges in time stays, and a session without messages is looked after by nobody")
    func inTime() async throws {
        let configuration = GatewayConfiguration(acknowledgementTimeout: .milliseconds(100))
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await gateway.connect(version: .v5)
            #expect(await gateway.shards[0].watched == 0)
            gateway.push("a")
            let message = try await device.message()
            #expect(await gateway.shards[0].watched == 1)
            await device.acknowledge(message)
            try await gateway.until("its place is given back") { await gateway.shards[0].watched == 0 }
            try await device.expectNothing()
            gateway.push("b")
            #expect(try await device.takeMessages(1).map(\.text) == ["b"])
        }
    }

    @Test("what a device has not acknowledged is told of its present connection, what is over included", arguments: [1, 2])
    func backlog(loops: Int) async throws {
        try await GatewayFixture.run(loops: loops) { gateway in
            let token = DeviceToken(unchecked: "d1")
            // Asked by a loop of its own, as operators are.
            let loop = try EventLoop(name: "operator")
            loop.start()
            let port = gateway.store.port(for: LoopMailbox(loop))
            func backlog() async throws -> Backlog { try await port.backlog(of: token, patience: .seconds(60)) }
            let begin = MonotonicClock.nanoseconds
            gateway.push("a")
            let offline = try await backlog()
            #expect(offline.pending == 1 && offline.unacknowledged == Unacknowledged.none)
            let device = try await gateway.connect(loop: loops - 1)
            let first = try await device.message()
            let second = gateway.push("b")
            _ = try await device.message()
            let online = try await backlog()
            #expect(online.pending == 2 && online.unacknowledged?.count == 2)
            let age = try #require(online.unacknowledged?.oldestAge)
            #expect((0...(MonotonicClock.nanoseconds - begin) / 1_000_000 + 100).contains(age))
            gateway.store.commit { log in ((), [log.end(second.task)]) }
            let over = try await backlog()
            #expect(over.pending == 1 && over.unacknowledged?.count == 2)
            await device.acknowledge(first)
            try await gateway.until("the ended one is left") {
                let backlog = try? await backlog()
                return backlog?.pending == 0 && backlog?.unacknowledged?.count == 1
            }
            await device.close()
            try await gateway.until("nothing is left") {
                (try? await backlog())?.unacknowledged == Unacknowledged.none
            }
            loop.stop()
            loop.join()
        }
    }

    @Test("a moment keeps its age, whenever within a tick it is asked for")
    func age() {
        let clock = DeliveryClock()
        let store = StoreClock(base: 0) { 0 }
        clock.read(store, nil, in: 1_030_000_000)
        let sent = clock.tick
        #expect(clock.age(of: sent) == 30)
        clock.read(store, nil, in: 1_299_000_000)
        #expect(clock.age(of: sent) == 299)
        clock.read(store, nil, in: 1_300_000_000)
        #expect(clock.age(of: sent) == 300)
    }

    @Test("each further time takes twice as long, and no two sessions take equally long")
    func doubling() {
        let overdue = OverdueDevices()
        let device = DeviceHandle(lane: MemoryLog.lane, ordinal: 7)
        let (least, most) = (SessionID(raw: 0), SessionID(raw: 0xFFFF))
        var now = Tick(1_000)
        #expect(overdue.limit(of: device, least, timeout: 3_000, at: now) == 3_000)
        #expect((4_499...4_500).contains(overdue.limit(of: device, most, timeout: 3_000, at: now)))
        for times in 1...8 {
            overdue.note(device, timeout: 3_000, at: now)
            let limit = 3_000 << min(times, OverdueDevices.doublings)
            #expect(overdue.limit(of: device, least, timeout: 3_000, at: now) == limit)
            now = Tick(now.number + UInt32(limit))
        }
        #expect(overdue.limit(of: DeviceHandle(lane: MemoryLog.lane, ordinal: 8), least, timeout: 3_000, at: now) == 3_000)
        // So long after the last time, the message of then has come through or is over.
        now = Tick(now.number + UInt32(4 * (3_000 << OverdueDevices.doublings)))
        #expect(overdue.limit(of: device, least, timeout: 3_000, at: now) == 3_000)
    }

    @Test("what is remembered of devices is bounded")
    func bounded() {
        let overdue = OverdueDevices()
        for ordinal in 0..<UInt32(3 * OverdueDevices.capacity) {
            overdue.note(DeviceHandle(lane: MemoryLog.lane, ordinal: ordinal), timeout: 1, at: Tick(0))
        }
        #expect(overdue.count <= 2 * OverdueDevices.capacity)
    }
}

/// The keep-alive of a device that takes its messages slowly.
@Suite("Slow readers")
struct SlowReaderTests {
    /// Far more than the sockets take between them.
    private static let messages = 3_000
    private static let size = 16_000

    @Test("a device that reads slowly is not taken for a dead one, while nothing of it is read")
    func slow() async throws {
        try await GatewayFixture.run(GatewayConfiguration(window: Self.messages)) { gateway in
            // With a large buffer the system would make room for the server only now and then, seconds apart.
            let device = try RawConnection(port: gateway.addresses[0].port, receiveBuffer: 65_536)
            var connect: [UInt8] = []
            Packet.connect(
                Connect(version: .v311, clientIdentifier: "c", keepAlive: 2, userName: "d1", password: Array("secret".utf8))
            ).encode(version: .v311, into: &connect)
            try device.send(connect)
            _ = try device.read(4)
            try await pushUntilNothingIsRead(gateway)
            // It takes some from time to time, for twice as long as it may be silent.
            let clock = ContinuousClock()
            let begin = clock.now
            for step in 1...40 {
                try await gateway.until("its time has come") { clock.now - begin >= .milliseconds(150 * step) }
                _ = try device.read(150_000)
            }
            #expect(await gateway.shards[0].awaitsDrain)
            #expect(await gateway.shards[0].counters.sessions == 1)
        }
    }

    @Test("one that takes nothing is gone after 1.5 times the keep-alive")
    func dead() async throws {
        try await GatewayFixture.run(GatewayConfiguration(window: Self.messages)) { gateway in
            let device = try await gateway.connect(keepAlive: 1)
            await device.setReading(false)
            try await pushUntilNothingIsRead(gateway)
            try await gateway.until("it is closed") { await gateway.shards[0].counters.sessions == 0 }
            #expect(await gateway.shards[0].counters.protocolErrors == 1)
        }
    }

    /// Sends the device so much that nothing of it is read any more.
    private func pushUntilNothingIsRead(_ gateway: GatewayFixture) async throws {
        for index in 0..<Self.messages { gateway.push("\(index)", size: Self.size) }
        try await gateway.until("nothing of it is read") { await gateway.shards[0].awaitsDrain }
    }
}

extension Shard {
    /// Sessions that somebody looks after.
    fileprivate var watched: Int? { watch?.count }
    fileprivate var awaitsDrain: Bool { connections[0]?.awaitsDrain ?? false }
}
