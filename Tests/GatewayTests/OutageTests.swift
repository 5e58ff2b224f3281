import Libevent
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

@Suite("A store that cannot be reached")
struct OutageTests {
    /// Of a store on another machine, whose lease does not lapse in these tests.
    private let store: MemoryStore

    init() {
        let lease = Lease { 0 }
        lease.beginTerm(until: .max)
        store = MemoryStore(lease: lease)
    }

    @Test("connections stay, and pages are asked for again until they come")
    func pages() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let device = try await gateway.connect(version: .v5)
            gateway.store.behave { $0.isUnreachable = true }
            gateway.store.leaveOut { log in
                _ = log.append(to: .device(DeviceToken(unchecked: "d1")), payload: Array("a".utf8))
            }
            let before = gateway.store.calls.pages
            try await gateway.until("it is asked again") { gateway.store.calls.pages >= before + 2 }
            try await device.expectNothing()
            gateway.store.behave { $0.isUnreachable = false }
            #expect(try await device.takeMessages(1).map(\.text) == ["a"])
            try await device.expectNothing()
            #expect(gateway.store.calls.detached.isEmpty)
        }
    }

    @Test("receipts are not answered, and told again in order until they are")
    func receipts() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.isUnreachable = true }
            await device.send(receipt(row.task, "opened", .atLeastOnce, 1))
            try await device.expectNothing()
            await device.send(receipt(row.task, "applied", .atMostOnce, nil), receipt(row.task, "opened", .atLeastOnce, 2))
            try await device.expectNothing()
            #expect(gateway.store.calls.receipts.isEmpty)
            gateway.store.behave { $0.isUnreachable = false }
            for packetID: UInt16 in [1, 2] {
                guard case .puback(let answer) = try await device.next() else {
                    Issue.record("no PUBACK")
                    return
                }
                #expect(answer.packetID == packetID)
            }
            #expect(gateway.store.calls.receipts.map(\.event) == [.opened, .applied, .opened])
            #expect(gateway.store.calls.detached.isEmpty)
        }
    }

    @Test("a server ends in order while receipts wait")
    func end() async throws {
        try await GatewayFixture.run(store: store) { gateway in
            let row = gateway.push("a")
            let device = try await gateway.connect(version: .v5)
            _ = try await device.takeMessages(1)
            gateway.store.behave { $0.isUnreachable = true }
            await device.send(receipt(row.task, "opened", .atLeastOnce, 1))
            try await device.expectNothing()
            await gateway.shards[0].shutdown()
            try await device.waitForClose()
        }
    }

    private func receipt(_ task: TaskID, _ event: String, _ qos: QoS, _ packetID: UInt16?) -> Packet {
        .publish(
            Publish(
                topic: "psp/push/receipt", payload: Array("{\"task_id\":\"\(task)\",\"event\":\"\(event)\"}".utf8),
                qos: qos, packetID: packetID))
    }

    @Test("before the directory has come CONNECT is answered 0x88, or 3 by 3.1.1; then devices are served")
    func beforeTheDirectory() async throws {
        store.commit { log in ((), [log.putOrganisation(GatewayFixture.organisation)]) }
        store.commit { log in
            ((), [log.putDevice(DeviceToken(unchecked: "d1"), in: GatewayFixture.organisation, user: nil)])
        }
        let loops = [try EventLoop(name: "gateway"), try EventLoop(name: "devices")]
        for loop in loops { loop.start() }
        let port = store.port(for: LoopMailbox(loops[0]))
        let shard = Shard(on: loops[0], store: port, logger: GatewayFixture.silent)
        let socket = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 1)[0]
        let address = socket.address
        try await shard.start(listeningOn: socket)
        // Refused alike whether the store cannot be asked, or has let the device in before it told its directory.
        for isUnreachable in [true, false] {
            store.behave { $0.isUnreachable = isUnreachable }
            for version in [ProtocolVersion.v311, .v5] {
                let (device, connack) = try await ScriptedDevice.connect("d1", to: address, on: loops[1], version: version)
                #expect(connack.reasonCode == .serverUnavailable)
                try await device.waitForClose()
            }
        }
        #expect(store.calls.attached == store.calls.detached && store.calls.attached.count == 2)
        try await shard.begin(with: try await port.subscribe { [weak shard] in shard?.apply($0) })
        let (device, connack) = try await ScriptedDevice.connect("d1", to: address, on: loops[1])
        #expect(connack.reasonCode == .success)
        store.push(to: .device(DeviceToken(unchecked: "d1")), payload: Array("a".utf8))
        #expect(try await device.takeMessages(1).map(\.text) == ["a"])
        await shard.shutdown()
        await ScriptedDevice.closeAll(on: loops[1])
        for loop in loops { loop.stop() }
        for loop in loops { loop.join() }
    }
}
