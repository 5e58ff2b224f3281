import Base
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("How fast devices may come and send")
struct PaceTests {
    @Test("a device that connects again and again waits for its CONNACK, and is served then; others do not wait")
    func flapping() async throws {
        var configuration = GatewayConfiguration()
        configuration.flapping = FlappingDevices(limit: 2)
        try await GatewayFixture.run(devices: ["d1", "d2"], configuration) { gateway in
            for _ in 0..<2 { await (try gateway.connect()).close() }
            #expect(await gateway.shards[0].counters.slowed == 0)
            let begin = ContinuousClock.now
            async let slow = gateway.connect()
            try await gateway.until("it is slowed") { await gateway.shards[0].counters.slowed == 1 }
            _ = try await gateway.connect("d2")
            gateway.push("hello")
            #expect(try await slow.takeMessages(1).map(\.text) == ["hello"])
            #expect(ContinuousClock.now - begin >= .milliseconds(4_900))
        }
    }

    @Test("a shutdown does not wait for who is slowed")
    func shutdownWhileSlowed() async throws {
        var configuration = GatewayConfiguration()
        configuration.flapping = FlappingDevices(limit: 0)
        let begin = ContinuousClock.now
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop)
            await device.send(
                .connect(Connect(version: .v311, clientIdentifier: "c", userName: "d1", password: Array("secret".utf8))))
            try await gateway.until("it is slowed") { await gateway.shards[0].counters.slowed == 1 }
        }
        #expect(ContinuousClock.now - begin < .seconds(4))
    }

    @Test("how often a device connects is counted by the minute, and for so many devices at most")
    func flappingCounted() {
        let devices = FlappingDevices(limit: 2)
        let device = DeviceHandle(lane: MemoryLog.lane, ordinal: 1)
        let (token, other) = (DeviceToken(unchecked: "d1"), DeviceToken(unchecked: "d2"))
        #expect((0..<4).map { _ in devices.note(device, token, at: 0) } == [false, false, true, true])
        #expect((0..<3).map { _ in devices.note(DeviceHandle(lane: MemoryLog.lane, ordinal: 2), other, at: 0) }.last == true)
        #expect(devices.worst(at: 0).map(\.device) == [token, other])
        #expect(!devices.note(device, token, at: 60_000_000_000))
        #expect(devices.worst(at: 60_000_000_000).map(\.connects) == [4, 3])
        #expect(devices.worst(at: 120_000_000_000).isEmpty)
        #expect(!devices.note(device, token, at: 180_000_000_000))
        for ordinal in 10..<UInt32(10 + FlappingDevices.capacity) {
            _ = devices.note(DeviceHandle(lane: MemoryLog.lane, ordinal: ordinal), token, at: 180_000_000_000)
        }
        let late = DeviceHandle(lane: MemoryLog.lane, ordinal: 9_000_000)
        for _ in 0..<5 { #expect(!devices.note(late, other, at: 180_000_000_000)) }
    }

    @Test("of an address so many devices are connected, and one more is closed until one has left", arguments: [false, true])
    func perAddress(behindProxy: Bool) async throws {
        var limits = ConnectionAdmission.Limits()
        limits.perAddress = 2
        var configuration = GatewayConfiguration()
        configuration.admission = ConnectionAdmission(limits)
        if behindProxy { configuration.proxies = ["127.0.0.0/8"].compactMap { AddressRange($0) } }
        try await GatewayFixture.run(configuration) { gateway in
            func open() throws -> RawConnection {
                let connection = try RawConnection(port: gateway.addresses[0].port)
                if behindProxy { try connection.send("PROXY TCP4 192.0.2.1 198.51.100.2 4711 1883\r\n") }
                return connection
            }
            func admitted() async -> Int { await gateway.shards[0].admitted }
            var held: [RawConnection] = []
            for count in 1...2 {
                held.append(try open())
                try await gateway.until("it is admitted") { await admitted() == count }
            }
            #expect(try open().isClosedByServer())
            #expect(await admitted() == 2)
            held.removeLast()
            try await gateway.until("it has left") { await admitted() == 1 }
            held.append(try open())
            try await gateway.until("there is a place") { await admitted() == 2 }
            #expect(configuration.admission?.refusals.perAddress == 1)
        }
    }
}

extension Shard {
    fileprivate var admitted: Int { connections.all.count { $0.isAdmitted } }
}
