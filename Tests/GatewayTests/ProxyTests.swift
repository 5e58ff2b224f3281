import Base
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Devices behind a balancer")
struct ProxyTests {
    private static func configuration(_ ranges: String...) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.proxies = ranges.compactMap { AddressRange($0) }
        return configuration
    }

    private static let header = Array("PROXY TCP4 192.0.2.1 198.51.100.2 4711 1883\r\n".utf8)
    /// A health check of version 2.
    private static let local: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x20, 0, 0, 0]

    private static var connect: [UInt8] {
        var bytes: [UInt8] = []
        Packet.connect(
            Connect(version: .v311, clientIdentifier: "c", keepAlive: 0, userName: "d1", password: Array("secret".utf8))
        ).encode(version: .v311, into: &bytes)
        return bytes
    }

    @Test("a device is served behind what its balancer says, in one piece or in many, and known by its own address")
    func served() async throws {
        for size in [1, 40, 1_000] {
            try await GatewayFixture.run(Self.configuration("127.0.0.0/8")) { gateway in
                let device = try RawConnection(port: gateway.addresses[0].port)
                let bytes = Self.header + Self.connect
                for start in stride(from: 0, to: bytes.count, by: size) {
                    try device.send(bytes[start..<min(start + size, bytes.count)])
                }
                #expect(try device.read(4) == [0x20, 2, 0, 0])
                #expect(await gateway.shards[0].clientAddresses == ["192.0.2.1:4711"])
                gateway.push("hello")
                #expect(try device.read(1)[0] >> 4 == 3)
            }
        }
    }

    @Test("a health check is no device, and one that goes on as a device is one at the balancer's address")
    func local() async throws {
        try await GatewayFixture.run(Self.configuration("127.0.0.1")) { gateway in
            do {
                let check = try RawConnection(port: gateway.addresses[0].port)
                try check.send(Self.local)
                try await gateway.until("it is accepted") { await gateway.shards[0].counters.connections == 1 }
            }
            try await gateway.until("it has gone") { await gateway.shards[0].counters.connections == 0 }
            #expect(await gateway.shards[0].counters.protocolErrors == 0)
            let device = try RawConnection(port: gateway.addresses[0].port)
            try device.send(Self.local + Self.connect)
            #expect(try device.read(4) == [0x20, 2, 0, 0])
            #expect(await gateway.shards[0].clientAddresses.allSatisfy { $0.hasPrefix("127.0.0.1:") })
        }
    }

    @Test("without a header, or with one that is none, a balancer's connection is closed")
    func refused() async throws {
        try await GatewayFixture.run(Self.configuration("127.0.0.1")) { gateway in
            for bytes in [Self.connect, Array("PROXY TCP4 1 2 3 4\r\n".utf8)] {
                let device = try RawConnection(port: gateway.addresses[0].port)
                try device.send(bytes)
                #expect(try device.isClosedByServer())
            }
            let silent = try RawConnection(port: gateway.addresses[0].port)
            try silent.send(Self.header.dropLast())
            let begin = ContinuousClock.now
            #expect(try silent.isClosedByServer())
            // Sooner than a CONNECT would be waited for.
            #expect(ContinuousClock.now - begin < .seconds(9))
            #expect(await gateway.shards[0].counters.protocolErrors == 3)
        }
    }

    @Test("whoever is no trusted balancer cannot say who it is")
    func untrusted() async throws {
        try await GatewayFixture.run(Self.configuration("192.0.2.0/24")) { gateway in
            let liar = try RawConnection(port: gateway.addresses[0].port)
            try liar.send(Self.header + Self.connect)
            #expect(try liar.isClosedByServer())
            let device = try RawConnection(port: gateway.addresses[0].port)
            try device.send(Self.connect)
            #expect(try device.read(4) == [0x20, 2, 0, 0])
        }
    }

    @Test("one that its balancer has said nothing of is silent: it goes when there is no room")
    func silent() async throws {
        var configuration = Self.configuration("127.0.0.1")
        configuration.budget = ConnectionBudget(limit: 1)
        try await GatewayFixture.run(configuration) { gateway in
            let silent = try RawConnection(port: gateway.addresses[0].port)
            try await gateway.until("it is accepted") { await gateway.shards[0].counters.connections == 1 }
            let device = try RawConnection(port: gateway.addresses[0].port)
            try device.send(Self.header + Self.connect)
            #expect(try device.read(4) == [0x20, 2, 0, 0])
            #expect(try silent.isClosedByServer())
        }
    }
}

extension Shard {
    fileprivate var clientAddresses: [String] { connections.all.map { "\($0.socket.clientAddress)" } }
}
