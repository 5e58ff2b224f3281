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
    private let name = "d1"

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
        #expect(guardian.admits("d2", from: one, at: 0))
        #expect(guardian.admits(name, from: one, at: Self.minute))
    }

    @Test("an address has so many failures by whatever names, where that is set")
    func perAddress() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perAddress: 3))
        let one = try address("192.0.2.1")
        for index in 0..<3 {
            let name = "x\(index)"
            #expect(guardian.admits(name, from: one, at: 0))
            guardian.noteFailure(of: name, from: one, at: 0)
        }
        #expect(!guardian.admits(name, from: one, at: 0))
        #expect(try guardian.admits(name, from: address("192.0.2.2"), at: 0))
    }

    @Test("what is begun counts until it is taken back, and in its own minute only")
    func begun() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perAddress: 3, perName: 2))
        let one = try address("192.0.2.1")
        for _ in 0..<2 { #expect(guardian.begin(name, from: one, at: 0)) }
        #expect(!guardian.begin(name, from: one, at: 0))
        #expect(guardian.begin("d2", from: one, at: 0))
        #expect(!guardian.begin("d3", from: one, at: 0))
        guardian.takeBack(name, from: one, at: 0)
        #expect(guardian.begin(name, from: one, at: 0))
        #expect(!guardian.begin(name, from: one, at: 0))
        for _ in 0..<2 { #expect(guardian.begin(name, from: one, at: Self.minute)) }
        guardian.takeBack(name, from: one, at: 0)
        #expect(!guardian.begin(name, from: one, at: Self.minute))
        #expect(LoginGuard.untilNextMinute(at: Self.minute + 1_000_000_000) == .seconds(59))
    }

    @Test("an IPv6 address counts with all of its network")
    func network() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perAddress: 3, perName: 2))
        for index in 0..<2 { guardian.noteFailure(of: name, from: try address("2001:db8:0:1::\(index)"), at: 0) }
        #expect(try !guardian.admits(name, from: address("2001:db8:0:1:ffff::1"), at: 0))
        #expect(try guardian.admits(name, from: address("2001:db8:0:2::1"), at: 0))
        #expect(try guardian.admits("d2", from: address("2001:db8:0:1::9"), at: 0))
        guardian.noteFailure(of: "d2", from: try address("2001:db8:0:1::9"), at: 0)
        #expect(try !guardian.admits("d3", from: address("2001:db8:0:1::a"), at: 0))
    }

    @Test("what is remembered is bounded, and who was remembered before is still refused")
    func bounded() throws {
        let guardian = LoginGuard(LoginGuard.Limits(perName: 1))
        let one = try address("192.0.2.1")
        guardian.noteFailure(of: name, from: one, at: 0)
        for index in 0..<(LoginGuard.capacity + 1_000) {
            guardian.noteFailure(of: "x\(index)", from: one, at: 0)
        }
        #expect(!guardian.admits(name, from: one, at: 0))
        #expect(guardian.admits("x\(LoginGuard.capacity + 999)", from: one, at: 0))
    }

    @Test(
        "after too many wrong secrets even the right one is refused from there, unasked; from elsewhere it passes"
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
