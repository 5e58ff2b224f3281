import Libevent
import Logging
import MQTT
import Push
import TestKit
import Testing

@testable import Gateway

/// Shards on loops of their own, each with a port of its own, behind a store in memory; and a loop for the devices.
struct GatewayFixture {
    let store: MemoryStore
    let shards: [Shard]
    let addresses: [SocketAddress]
    let deviceLoop: EventLoop
    private let loops: [EventLoop]

    static let organisation = OrgID(unchecked: "org")

    /// Runs `body` with a gateway that serves, and ends everything afterwards.
    static func run(
        loops count: Int = 1, devices: [String] = ["d1"], _ configuration: GatewayConfiguration = GatewayConfiguration(),
        store: MemoryStore = MemoryStore(), overdue: OverdueDevices = OverdueDevices(), tracer: Tracer = Tracer(),
        logger: Logger = silent, _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let fixture = try await GatewayFixture(loops: count, configuration, store, overdue, tracer, logger)
        fixture.store.commit { log in ((), [log.putOrganisation(organisation)]) }
        for device in devices { fixture.register(device) }
        do {
            try await body(fixture)
        } catch {
            await fixture.end()
            throw error
        }
        await fixture.end()
    }

    static let silent: Logger = {
        var logger = Logger(label: "gateway", factory: { _ in SwiftLogNoOpLogHandler() })
        logger.logLevel = .critical
        return logger
    }()

    private init(
        loops count: Int, _ configuration: GatewayConfiguration, _ store: MemoryStore, _ overdue: OverdueDevices,
        _ tracer: Tracer, _ logger: Logger
    ) async throws {
        self.store = store
        var loops: [EventLoop] = []
        var shards: [Shard] = []
        var addresses: [SocketAddress] = []
        for index in 0..<count {
            let loop = try EventLoop(name: "gateway \(index)")
            loop.start()
            let port = store.port(for: LoopMailbox(loop))
            let shard = Shard(
                on: loop, store: port, configuration: configuration, overdue: overdue, tracer: tracer, logger: logger)
            // Weak: the shard holds the store, which holds this closure.
            try await shard.begin(with: try await port.subscribe { [weak shard] in shard?.apply($0) })
            let socket = try ListeningSocket.bind(SocketAddress(parsing: "127.0.0.1:0"), count: 1)[0]
            addresses.append(socket.address)
            try await shard.start(listeningOn: socket)
            loops.append(loop)
            shards.append(shard)
        }
        deviceLoop = try EventLoop(name: "devices")
        deviceLoop.start()
        (self.loops, self.shards, self.addresses) = (loops, shards, addresses)
    }

    private func end() async {
        for shard in shards { await shard.shutdown() }
        await ScriptedDevice.closeAll(on: deviceLoop)
        for loop in loops + [deviceLoop] { loop.stop() }
        for loop in loops + [deviceLoop] { loop.join() }
    }

    // MARK: The store

    @discardableResult
    func register(_ name: String, in organisation: OrgID = GatewayFixture.organisation, user: String? = nil) -> DeviceToken {
        let token = DeviceToken(unchecked: name)
        store.commit { log in ((), [log.putDevice(token, in: organisation, user: user.map { UserID(unchecked: $0) })]) }
        return token
    }

    /// Pushes a text to a device.
    @discardableResult
    func push(_ text: String, to device: String = "d1", size: Int = 0) -> Row {
        store.push(to: .device(DeviceToken(unchecked: device)), payload: payload(text, size))
    }

    /// Pushes a text to everybody.
    @discardableResult
    func pushToAll(_ text: String) -> Row { store.push(to: .organisation(Self.organisation), payload: payload(text, 0)) }

    private func payload(_ text: String, _ size: Int) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0x20, count: max(0, size - text.utf8.count))
    }

    /// The positions that were delivered to a device.
    func delivered(_ name: String = "d1") -> Set<Position> {
        store.read { log in
            log.devices[DeviceToken(unchecked: name)].flatMap { log.delivered[$0.handle] } ?? []
        }
    }

    // MARK: Devices

    func connect(
        _ name: String = "d1", loop: Int = 0, version: ProtocolVersion = .v311, keepAlive: UInt16 = 0,
        _ change: (inout Connect) -> Void = { _ in }
    ) async throws -> ScriptedDevice {
        let (device, connack) = try await ScriptedDevice.connect(
            name, to: addresses[loop], on: deviceLoop, version: version, keepAlive: keepAlive, change)
        #expect(connack.reasonCode == .success)
        #expect(!connack.sessionPresent)
        return device
    }

    /// Waits until something is so.
    func until(
        _ what: Comment, within time: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async -> Bool
    ) async throws {
        let clock = ContinuousClock()
        let end = clock.now + time
        while await !condition() {
            guard clock.now < end else {
                Issue.record(what, sourceLocation: sourceLocation)
                return
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

extension Publish {
    /// The payload as a text, without the spaces that fill it.
    var text: String { String(decoding: payload, as: UTF8.self).split(separator: " ").first.map(String.init) ?? "" }
}
