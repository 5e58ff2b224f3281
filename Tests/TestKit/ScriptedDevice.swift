internal import Base
public import Libevent
public import MQTT

/// A device that does what a test tells it, and nothing by itself: it sends packets and bytes, and hands out what it receives, in
/// order.
///
/// It lives on a loop, its own or the server's. Whatever it waits for has a deadline, so that a failing test ends.
public actor ScriptedDevice: ConnectionHandler {
    /// What a device waited for in vain.
    public enum Failure: Error, Equatable {
        /// Nothing came within the time.
        case silence
        /// The server closed the connection; nothing more comes.
        case closed
        /// Something else came.
        case unexpected(Packet)
        /// The server sent what is no packet.
        case malformed(MQTTError)
    }

    private nonisolated let loop: EventLoop
    private let version: ProtocolVersion
    private var connection: Connection?
    private var decoder: PacketDecoder
    private var received: [Packet] = []
    private var fault: MQTTError?
    private var isClosed = false
    private var waiter: CheckedContinuation<Void, Never>?
    private var deadline: Timer?
    private var isLate = false

    /// The loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private init(on loop: EventLoop, version: ProtocolVersion) {
        self.loop = loop
        self.version = version
        decoder = PacketDecoder(role: .client, version: version)
    }

    /// The devices of each loop. A connection holds its device until it has ended, and the loop may end before that.
    private static let devices = Locked<[ObjectIdentifier: [ScriptedDevice]]>([:])

    /// Closes all devices of a loop. Call it before the loop ends, or they are never freed.
    public static func closeAll(on loop: EventLoop) async {
        let closing = devices.withLock { $0.removeValue(forKey: ObjectIdentifier(loop)) ?? [] }
        for device in closing { await device.close() }
    }

    /// Opens a TCP connection and sends nothing.
    public static func open(
        to address: SocketAddress, on loop: EventLoop, version: ProtocolVersion = .v311
    ) async throws -> ScriptedDevice {
        let device = ScriptedDevice(on: loop, version: version)
        devices.withLock { $0[ObjectIdentifier(loop), default: []].append(device) }
        try await device.open(address)
        return device
    }

    /// Opens a connection, and sends CONNECT for that device.
    /// - Returns: the device and the CONNACK.
    public static func connect(
        _ token: String, secret: String = "secret", to address: SocketAddress, on loop: EventLoop,
        version: ProtocolVersion = .v311,
        keepAlive: UInt16 = 0, _ change: (inout Connect) -> Void = { _ in }
    ) async throws -> (device: ScriptedDevice, connack: Connack) {
        let device = try await open(to: address, on: loop, version: version)
        var connect = Connect(
            version: version, clientIdentifier: "client of \(token)", keepAlive: keepAlive, userName: token,
            password: Array(secret.utf8))
        change(&connect)
        await device.send(.connect(connect))
        guard case .connack(let connack) = try await device.next() else { throw Failure.silence }
        return (device, connack)
    }

    private func open(_ address: SocketAddress) throws {
        connection = try Connection.connect(to: address, on: loop, handler: self)
    }

    // MARK: To the server

    /// Sends packets, in one write.
    public func send(_ packets: Packet...) {
        var bytes: [UInt8] = []
        for packet in packets { packet.encode(version: version, into: &bytes) }
        connection?.send(bytes)
    }

    /// Sends bytes that may be no packet.
    public func send(bytes: [UInt8]) { connection?.send(bytes) }

    /// Acknowledges messages.
    public func acknowledge(_ messages: Publish...) {
        var bytes: [UInt8] = []
        for case let packetID? in messages.map(\.packetID) {
            Packet.puback(Acknowledgement(packetID: packetID)).encode(version: version, into: &bytes)
        }
        connection?.send(bytes)
    }

    /// Stops or resumes reading: a peer that does not take what it is sent.
    public func setReading(_ on: Bool) { connection?.setReading(on) }

    /// Closes without a word.
    public func close() { connection?.close() }

    // MARK: From the server

    /// The next packet.
    /// - Throws: ``Failure``.
    public func next(within time: Duration = .seconds(60)) async throws -> Packet {
        try await wait(within: time)
        return received.removeFirst()
    }

    /// The next packet, which must be a message.
    public func message(within time: Duration = .seconds(60)) async throws -> Publish {
        let packet = try await next(within: time)
        guard case .publish(let publish) = packet else { throw Failure.unexpected(packet) }
        return publish
    }

    /// The next messages, acknowledged one by one when they come.
    public func takeMessages(_ count: Int) async throws -> [Publish] {
        var messages: [Publish] = []
        while messages.count < count {
            let next = try await message()
            acknowledge(next)
            messages.append(next)
        }
        return messages
    }

    /// Waits for the server to close; what it sent before is not taken.
    public func waitForClose(within time: Duration = .seconds(60)) async throws {
        while !isClosed {
            try await suspend(within: time) { isClosed }
        }
    }

    /// The server answers a PINGREQ, and has sent nothing before the answer.
    public func expectNothing() async throws {
        send(.pingreq)
        let packet = try await next()
        guard packet == .pingresp else { throw Failure.unexpected(packet) }
    }

    private func wait(within time: Duration) async throws {
        while received.isEmpty {
            if let fault { throw Failure.malformed(fault) }
            if isClosed { throw Failure.closed }
            try await suspend(within: time) { !received.isEmpty || isClosed }
        }
    }

    /// Waits for anything to happen, unless it has by the time when others can no longer run.
    private func suspend(within time: Duration, unless isOver: () -> Bool) async throws {
        precondition(waiter == nil, "one wait at a time")
        isLate = false
        deadline = try Timer(on: loop, after: time) { [unowned self] in
            isLate = true
            resume()
        }
        await withCheckedContinuation { continuation in
            if isOver() { continuation.resume() } else { waiter = continuation }
        }
        deadline = nil
        if isLate { throw Failure.silence }
    }

    private func resume() {
        let waiting = waiter
        waiter = nil
        waiting?.resume()
    }

    // MARK: ConnectionHandler

    /// Takes what has come.
    public nonisolated func connectionDidRead(_ connection: sending Connection) {
        assumeIsolated { $0.read(connection) }
    }

    /// Remembers that nothing more comes.
    public nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated { device in
            device.isClosed = true
            device.connection = nil
            device.resume()
        }
    }

    private func read(_ connection: Connection) {
        let fault = connection.withInput { bytes, consumed -> MQTTError? in
            do throws(MQTTError) {
                while let packet = try decoder.decode(bytes, consumed: &consumed) { received.append(packet) }
                return nil
            } catch {
                return error
            }
        }
        if let fault {
            self.fault = fault
            connection.close()
        }
        resume()
    }
}
