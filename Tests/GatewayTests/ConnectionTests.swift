import Glibc
import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("Connections over sockets")
struct ConnectionTests {
    private func disconnect(_ reason: ReasonCode) -> Packet { .disconnect(Disconnect(reasonCode: reason)) }

    @Test("a second connection takes over, and receives nothing that the first acknowledged", arguments: [0, 1])
    func takeover(secondLoop: Int) async throws {
        try await GatewayFixture.run(loops: 2) { gateway in
            for text in ["a", "b", "c"] { gateway.push(text) }
            let first = try await gateway.connect(version: .v5)
            let messages = [try await first.message(), try await first.message(), try await first.message()]
            await first.acknowledge(messages[0], messages[1])
            let second = try await gateway.connect(loop: secondLoop, version: .v5)
            #expect(try await first.next() == disconnect(.sessionTakenOver))
            try await first.waitForClose()
            #expect(try await second.takeMessages(1).map(\.text) == ["c"])
            try await second.expectNothing()
        }
    }

    @Test("of many that connect at once the last one stays, and nothing is lost")
    func storm() async throws {
        try await GatewayFixture.run(loops: 2) { gateway in
            var devices: [ScriptedDevice] = []
            for index in 0..<20 {
                devices.append(try await ScriptedDevice.open(to: gateway.addresses[index % 2], on: gateway.deviceLoop))
            }
            let connect = Packet.connect(
                Connect(version: .v311, clientIdentifier: "c", userName: "d1", password: Array("secret".utf8)))
            for device in devices { await device.send(connect) }
            gateway.push("after all")
            var received = 0
            for device in devices {
                do {
                    while true {
                        let packet = try await device.next(within: .seconds(1))
                        guard case .publish(let message) = packet else { continue }
                        await device.acknowledge(message)
                        received += 1
                    }
                } catch ScriptedDevice.Failure.closed, ScriptedDevice.Failure.silence {
                    continue
                }
            }
            #expect(received >= 1)
            try await gateway.until("it is counted") { gateway.delivered().count == 1 }
            #expect(await gateway.shards[0].counters.sessions + gateway.shards[1].counters.sessions == 1)
        }
    }

    @Test("a device that is deleted is sent away: 0x98, and nothing more")
    func withdrawn() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            gateway.store.commit { log in
                let token = DeviceToken(unchecked: "d1")
                let row = log.append(to: .device(token), payload: [0x61])
                guard let record = log.removeDevice(token), let session = record.session else { return ((), []) }
                return ((), [.close(record.handle, session: session, .withdrawn), .row(row)])
            }
            #expect(try await device.next() == disconnect(.administrativeAction))
            try await device.waitForClose()
        }
    }

    @Test("an operator has a device disconnected: 0x98, what it has sent counts, and it may come back")
    func requested() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            gateway.push("a")
            await device.acknowledge(try await device.message())
            gateway.store.commit { log in
                let record = log.devices[DeviceToken(unchecked: "d1")]
                guard let record, let session = record.session else { return ((), []) }
                return ((), [.close(record.handle, session: session, .requested)])
            }
            #expect(try await device.next() == disconnect(.administrativeAction))
            try await device.waitForClose()
            try await gateway.until("it is counted") { gateway.delivered().count == 1 }
            _ = try await gateway.connect(version: .v5)
        }
    }

    @Test("a wrong secret, an unknown token, a store that cannot write", arguments: [ProtocolVersion.v311, .v5])
    func refused(version: ProtocolVersion) async throws {
        try await GatewayFixture.run { gateway in
            let wrongSecret = try await refusal(of: "d1", "wrong", version, gateway)
            let unknown = try await refusal(of: "nobody", "secret", version, gateway)
            gateway.store.behave { $0.isUnavailable = true }
            let unavailable = try await refusal(of: "d1", "secret", version, gateway)
            #expect([wrongSecret, unknown, unavailable] == [.notAuthorized, .notAuthorized, .serverUnavailable])
            gateway.store.behave { $0.isUnavailable = false }
            let refused = await gateway.shards[0].counters.refused
            #expect(refused[.wrongSecret] == 1 && refused[.unknownDevice] == 1 && refused[.unavailable] == 1)
            #expect(refused.total == 3)
        }
    }

    private func refusal(
        of token: String, _ secret: String, _ version: ProtocolVersion, _ gateway: GatewayFixture
    ) async throws -> ReasonCode {
        let (device, connack) = try await ScriptedDevice.connect(
            token, secret: secret, to: gateway.addresses[0], on: gateway.deviceLoop, version: version)
        try await device.waitForClose()
        return connack.reasonCode
    }

    @Test("silence for 1.5 times the keep-alive: 0x8D")
    func keepAlive() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5, keepAlive: 1)
            let clock = ContinuousClock()
            let begin = clock.now
            #expect(try await device.next() == disconnect(.keepAliveTimeout))
            #expect(clock.now - begin >= .milliseconds(1_500))
            try await device.waitForClose()
            try await gateway.until("it is detached") { gateway.store.calls.detached.count == 1 }
        }
    }

    @Test("no CONNECT in time closes the connection")
    func noConnect() async throws {
        try await GatewayFixture.run(GatewayConfiguration(connectTimeout: .milliseconds(50))) { gateway in
            let device = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop)
            await device.send(bytes: [0x10])
            try await device.waitForClose()
            #expect(await gateway.shards[0].counters.connectTimeouts == 1)
        }
    }

    @Test("a packet over 16 KiB: 0x95; a malformed one: 0x81; 3.1.1 is told nothing")
    func badPackets() async throws {
        try await GatewayFixture.run { gateway in
            let tooLarge: [UInt8] = [0x30, 0x81, 0x80, 0x01]
            let malformed: [UInt8] = [0xC1, 0x00]
            for (bytes, reason) in [(tooLarge, ReasonCode.packetTooLarge), (malformed, .malformedPacket)] {
                let newer = try await gateway.connect(version: .v5)
                await newer.send(bytes: bytes)
                #expect(try await newer.next() == disconnect(reason))
                try await newer.waitForClose()
                let older = try await gateway.connect()
                await older.send(bytes: bytes)
                await #expect(throws: ScriptedDevice.Failure.closed) { try await older.next() }
            }
            #expect(await gateway.shards[0].counters.protocolErrors == 4)
        }
    }

    @Test("a malformed CONNECT of 5.0 is told so by CONNACK")
    func badConnect() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop, version: .v5)
            // The reserved flag is 1.
            await device.send(bytes: [0x10, 0x0E, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 0x03, 0, 0, 0, 0, 1, 0x61])
            guard case .connack(let connack) = try await device.next() else {
                Issue.record("no CONNACK")
                return
            }
            #expect(connack.reasonCode == .malformedPacket)
            try await device.waitForClose()
        }
    }

    @Test("packets may come byte by byte, or many at once, CONNECT included")
    func fragments() async throws {
        try await GatewayFixture.run { gateway in
            let connect = Packet.connect(
                Connect(version: .v311, clientIdentifier: "c", userName: "d1", password: Array("secret".utf8)))
            let whole = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop)
            await whole.send(connect, .pingreq, .pingreq)
            #expect(try await whole.next() == .connack(Connack()))
            #expect(try await whole.next() == .pingresp)
            #expect(try await whole.next() == .pingresp)

            let slow = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop)
            var bytes: [UInt8] = []
            connect.encode(version: .v311, into: &bytes)
            for byte in bytes { await slow.send(bytes: [byte]) }
            #expect(try await slow.next() == .connack(Connack()))
        }
    }

    @Test("a device that leaves, with or without a word, is detached with what it acknowledged")
    func leaving() async throws {
        try await GatewayFixture.run { gateway in
            for withWord in [true, false] {
                let row = gateway.push("a")
                let device = try await gateway.connect()
                let message = try await device.message()
                await device.acknowledge(message)
                if withWord { await device.send(.disconnect(Disconnect())) } else { await device.close() }
                try await device.waitForClose()
                try await gateway.until("it is detached") { await gateway.shards[0].counters.connections == 0 }
                let record = gateway.store.read { $0.devices[DeviceToken(unchecked: "d1")] }
                #expect(record?.session == nil)
                #expect(record.map { $0.cursor >= row.position } ?? false)
            }
        }
    }

    @Test("a shutdown reads sockets empty, tells 5.0 devices (0x8B), settles and detaches")
    func shutdown() async throws {
        try await GatewayFixture.run { gateway in
            gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            let message = try await device.message()
            let receipt = Publish(
                topic: "psp/push/receipt", payload: Array("{\"task_id\":\"t4\",\"event\":\"opened\"}".utf8), qos: .atLeastOnce,
                packetID: 9)
            await device.send(.puback(Acknowledgement(packetID: message.packetID ?? 0)), .publish(receipt))
            await gateway.shards[0].shutdown()
            #expect(gateway.delivered().count == 1)
            #expect(gateway.store.calls.receipts.count == 1)
            #expect(gateway.store.calls.detached.count == 1)
            var packets: [Packet] = []
            while packets.last != disconnect(.serverShuttingDown) { packets.append(try await device.next()) }
            guard case .puback(let answer) = packets.first else {
                Issue.record("the receipt is not answered: \(packets)")
                return
            }
            #expect(answer.packetID == 9)
            try await device.waitForClose()
        }
    }

    @Test("devices leave one by one, told so (0x8B); those that wait for their turn are served; new ones are refused")
    func leaveOneByOne() async throws {
        let names = (1...6).map { "d\($0)" }
        try await GatewayFixture.run(devices: names) { gateway in
            var devices: [ScriptedDevice] = []
            for name in names { devices.append(try await gateway.connect(name, version: .v5)) }
            let shard = gateway.shards[0]
            await shard.stopAccepting()
            await #expect(throws: (any Error).self) { _ = try await gateway.connect("d1") }
            let begin = ContinuousClock.now
            async let gone: Void = shard.disconnect(perSecond: 20)
            try await gateway.until("the first leaves") { await shard.counters.connections < 6 }
            #expect(await shard.counters.connections > 3)
            gateway.pushToAll("while they leave")
            try await gone
            // Two a wave of a tenth of a second: the last two have waited two waves.
            #expect(ContinuousClock.now - begin > .milliseconds(150))
            for (name, device) in zip(names, devices) {
                while try await device.next() != disconnect(.serverShuttingDown) {}
                try await device.waitForClose()
                #expect(gateway.store.read { $0.devices[DeviceToken(unchecked: name)]?.session } == nil)
            }
            #expect(await shard.counters.published > 0)
        }
    }

    @Test("a shutdown ends it: who is left goes at once")
    func leaveAtOnce() async throws {
        try await GatewayFixture.run(devices: ["d1", "d2"]) { gateway in
            let devices = [try await gateway.connect("d1", version: .v5), try await gateway.connect("d2", version: .v5)]
            let shard = gateway.shards[0]
            await shard.stopAccepting()
            async let gone: Void = shard.disconnect(perSecond: 0.001)
            await shard.shutdown()
            try await gone
            for device in devices {
                #expect(try await device.next() == disconnect(.serverShuttingDown))
                try await device.waitForClose()
            }
        }
    }

    @Test("what was read before the end is answered before DISCONNECT")
    func answersBeforeEnd() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            await device.send(bytes: [0xC0, 0x00, 0xC1, 0x00])
            #expect(try await device.next() == .pingresp)
            #expect(try await device.next() == disconnect(.malformedPacket))
            try await device.waitForClose()
        }
    }

    @Test("CONNACK is the first packet, also of a session that ends while its first page is being read")
    func connackFirst() async throws {
        try await GatewayFixture.run { gateway in
            gateway.store.behave { $0.holdsPages = true }
            let device = try await ScriptedDevice.open(to: gateway.addresses[0], on: gateway.deviceLoop, version: .v5)
            var bytes: [UInt8] = []
            Packet.connect(Connect(version: .v5, clientIdentifier: "c", userName: "d1", password: Array("secret".utf8)))
                .encode(version: .v5, into: &bytes)
            await device.send(bytes: bytes + [0xC0, 0x00, 0xC1, 0x00])
            guard case .connack(let connack) = try await device.next() else {
                Issue.record("no CONNACK")
                return
            }
            #expect(connack.reasonCode == .success)
            #expect(try await device.next() == .pingresp)
            #expect(try await device.next() == disconnect(.malformedPacket))
            try await device.waitForClose()
            gateway.store.releasePages()
        }
    }

    @Test("an idle device costs its loop two small objects, a connection and a session")
    func memory() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            try await device.expectNothing()
            let sizes = try #require(await gateway.shards[0].firstObjectSizes)
            #expect(sizes.connection <= 88)
            #expect(sizes.session <= 152)
        }
    }

    @Test("a CONNECT whose answer comes after its session is to be closed is not accepted")
    func closedWhileAttaching() async throws {
        try await GatewayFixture.run { gateway in
            let device = try await gateway.connect(version: .v5)
            // Both entries and answers reach the loop as jobs; the close overtakes whatever has not been carried out.
            for _ in 0..<10 {
                let (next, _) = try await ScriptedDevice.connect(
                    "d1", to: gateway.addresses[0], on: gateway.deviceLoop, version: .v5)
                await next.close()
            }
            try await device.waitForClose()
            try await gateway.until("every session is detached") {
                gateway.store.calls.detached.count == gateway.store.calls.attached.count
            }
        }
    }
}

extension Shard {
    /// What the allocator has given for the first connection and its session, in bytes.
    fileprivate var firstObjectSizes: (connection: Int, session: Int)? {
        guard let connection = connections[0], case .open(let session, _) = connection.state else { return nil }
        // glibc's module leaves this one out.
        guard let symbol = dlsym(nil, "malloc_usable_size") else { return nil }
        let size = unsafeBitCast(symbol, to: (@convention(c) (UnsafeRawPointer) -> Int).self)
        return (
            size(Unmanaged.passUnretained(connection).toOpaque()), size(Unmanaged.passUnretained(session).toOpaque())
        )
    }
}
