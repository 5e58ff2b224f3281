import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("When the process has as many connections as it may")
struct RoomTests {
    private static func configuration(_ limit: Int) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.budget = ConnectionBudget(limit: limit)
        return configuration
    }

    @Test(
        "a device that finds no room hears so in its version's words, and gets in when there is some",
        arguments: [ProtocolVersion.v5, .v311])
    func refused(version: ProtocolVersion) async throws {
        try await GatewayFixture.run(devices: ["d1", "d2", "d3"], Self.configuration(2)) { gateway in
            let first = try await gateway.connect("d1")
            let second = try await gateway.connect("d2")
            for _ in 0..<40 {
                let (device, connack) = try await ScriptedDevice.connect(
                    "d3", to: gateway.addresses[0], on: gateway.deviceLoop, version: version)
                #expect(connack.reasonCode == (version == .v5 ? .quotaExceeded : .serverUnavailable))
                try await device.waitForClose()
            }
            await first.close()
            try await gateway.until("there is room") { await gateway.shards[0].counters.connections == 1 }
            let third = try await gateway.connect("d3", version: version)
            gateway.push("hello", to: "d3")
            #expect(try await third.takeMessages(1).map(\.text) == ["hello"])
            gateway.push("still", to: "d2")
            #expect(try await second.takeMessages(1).map(\.text) == ["still"])
        }
    }

    @Test("of those that have said nothing the oldest goes for a newcomer")
    func silent() async throws {
        try await GatewayFixture.run(devices: ["d1", "d2", "d3"], Self.configuration(3)) { gateway in
            func open(_ count: UInt64) async throws -> ScriptedDevice {
                let device = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop)
                try await gateway.until("it is accepted") { await gateway.shards[0].counters.connections == count }
                return device
            }
            let spoken = try await gateway.connect("d1")
            let older = try await open(2)
            let younger = try await open(3)
            _ = try await gateway.connect("d2")
            try await older.waitForClose()
            _ = try await gateway.connect("d3")
            try await younger.waitForClose()
            gateway.push("still")
            #expect(try await spoken.takeMessages(1).map(\.text) == ["still"])
        }
    }

    @Test("a flood of silent connections keeps no device out")
    func flood() async throws {
        try await GatewayFixture.run(Self.configuration(20)) { gateway in
            for _ in 0..<300 { _ = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop) }
            let device = try await gateway.connect()
            gateway.push("hello")
            #expect(try await device.takeMessages(1).map(\.text) == ["hello"])
            #expect(await gateway.shards[0].counters.connections <= 21)
        }
    }
}
