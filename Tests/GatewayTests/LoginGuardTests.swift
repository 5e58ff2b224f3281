import Base
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Log-ins that fail")
struct LoginGuardTests {
    private static let minute: Int64 = 60_000_000_000
    private let name = DeviceToken(unchecked: "d1")

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test("a name has so many failures from one address in a minute; from elsewhere, and in the next one, it passes")
    func perName() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perName: 3))
        let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        for _ in 0..<3 {
            #expect(guardian.admits(name, from: one, at: 0))
            guardian.noteFailure(of: name, from: one, at: 0)
        }
        #expect(!guardian.admits(name, from: one, at: Self.minute - 1))
        #expect(guardian.admits(name, from: other, at: 0))
        #expect(guardian.admits(DeviceToken(unchecked: "d2"), from: one, at: 0))
        #expect(guardian.admits(name, from: one, at: Self.minute))
    }

    @Test("an address has so many failures by whatever names, where that is set")
    func perAddress() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perAddress: 3))
        let one = try address("192.0.2.1")
        for index in 0..<3 {
            let name = DeviceToken(unchecked: "x\(index)")
            #expect(guardian.admits(name, from: one, at: 0))
            guardian.noteFailure(of: name, from: one, at: 0)
        }
        #expect(!guardian.admits(name, from: one, at: 0))
        #expect(try guardian.admits(name, from: address("192.0.2.2"), at: 0))
    }

    @Test("what is remembered is bounded, and who was remembered before is still refused")
    func bounded() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perName: 1))
        let one = try address("192.0.2.1")
        guardian.noteFailure(of: name, from: one, at: 0)
        for index in 0..<(LoginGuard.capacity + 1_000) {
            guardian.noteFailure(of: DeviceToken(unchecked: "x\(index)"), from: one, at: 0)
        }
        #expect(!guardian.admits(name, from: one, at: 0))
        #expect(guardian.admits(DeviceToken(unchecked: "x\(LoginGuard.capacity + 999)"), from: one, at: 0))
    }

    @Test(
        "after too many wrong secrets even the right one is refused from there, without asking the store; from elsewhere it passes"
    )
    func device() async throws {
        var configuration = GatewayConfiguration()
        configuration.logins = LoginGuard(LoginGuard.Limits(perName: 2))
        configuration.proxies = ["127.0.0.0/8"].compactMap { AddressRange($0) }
        try await GatewayFixture.run(configuration) { gateway in
            func connack(from address: String, secret: String) throws -> UInt8 {
                let device = try RawConnection(port: gateway.addresses[0].port)
                var bytes = Array("PROXY TCP4 \(address) 198.51.100.2 4711 1883\r\n".utf8)
                Packet.connect(
                    Connect(version: .v311, clientIdentifier: "c", userName: "d1", password: Array(secret.utf8))
                ).encode(version: .v311, into: &bytes)
                try device.send(bytes)
                return try device.read(4)[3]
            }
            let answers = [
                try connack(from: "192.0.2.1", secret: "wrong"), try connack(from: "192.0.2.1", secret: "wrong"),
                try connack(from: "192.0.2.1", secret: "secret"), try connack(from: "192.0.2.2", secret: "secret"),
            ]
            #expect(answers == [5, 5, 3, 0])
            #expect(await gateway.shards[0].counters.refused[.failedLogins] == 1)
        }
    }
}

@Suite("How much a device may send")
struct PaceTests {
    @Test("receipts up to the bound are taken at once, those beyond in the next minute, and none is lost")
    func receipts() async throws {
        var configuration = GatewayConfiguration()
        configuration.receiptsPerMinute = 3
        try await GatewayFixture.run(configuration) { gateway in
            let device = try await gateway.connect()
            let row = gateway.push("hello")
            await device.acknowledge(try await device.message())
            func send(_ count: Int) async {
                for _ in 0..<count {
                    await device.send(
                        .publish(
                            Publish(
                                topic: "psp/push/receipt",
                                payload: Array(#"{"task_id":"\#(row.task.text)","event":"opened"}"#.utf8))))
                }
            }
            await send(2)
            try await gateway.until("both are taken") { await gateway.shards[0].counters.receipts == 2 }
            #expect(await gateway.shards[0].counters.pauses == 0)
            await send(4)
            // It is read no further, and yet not taken for dead.
            try await gateway.until("it waits") { await gateway.shards[0].counters.pauses >= 1 }
            await gateway.shards[0].pausesAreOver()
            try await gateway.until("all are taken") {
                if await gateway.shards[0].isAnyPaused { await gateway.shards[0].pausesAreOver() }
                return await gateway.shards[0].counters.receipts == 6
            }
            #expect(await gateway.shards[0].counters.sessions == 1)
        }
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
    fileprivate var isAnyPaused: Bool { !paused.isEmpty }
}
