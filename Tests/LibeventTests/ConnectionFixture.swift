import CLibevent
import Glibc

@testable import Libevent

/// One listening socket and the connections that came in, with everything that was told about them; and connections to elsewhere.
actor Switchboard: ConnectionHandler {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private var listener: Listener?
    private(set) var address: SocketAddress?
    private var connections: [Connection] = []
    private(set) var events: [String] = []
    private(set) var received: [UInt8] = []
    private(set) var acceptErrors: [LibeventError] = []
    /// How many bytes of the input are consumed at a time; nil: all.
    private var consumesAtMost: Int?
    private var consumesNothing = false
    /// How long each read keeps the loop, in microseconds.
    private var readCost: UInt32 = 0
    private var timer: Timer?

    init(on loop: EventLoop) { self.loop = loop }

    func listen(on socket: ListeningSocket, by security: TLSSource? = nil) throws {
        address = socket.address
        let listener = try Listener(socket, on: loop, security: security) { [unowned self] connection in accept(connection) }
        listener.onAcceptError = { [unowned self] in acceptErrors.append($0) }
        self.listener = listener
    }

    func listen() throws -> SocketAddress {
        let socket = try bindAnyPort()[0]
        try listen(on: socket)
        return socket.address
    }

    private func accept(_ connection: Connection) {
        connection.handler = self
        connection.tag = Tag(number: connections.count)
        connections.append(connection)
    }

    func connect(to address: SocketAddress, from source: SocketAddress? = nil) throws {
        connections.append(try Connection.connect(to: address, from: source, on: loop, handler: self))
    }

    private final class Tag {
        let number: Int
        init(number: Int) { self.number = number }
    }

    // MARK: Told

    nonisolated func connectionDidOpen(_ connection: sending Connection) {
        assumeIsolated { $0.events.append("open") }
    }
    nonisolated func connectionDidRead(_ connection: sending Connection) {
        assumeIsolated { $0.read(connection) }
    }
    nonisolated func connectionDidDrain(_ connection: sending Connection) {
        assumeIsolated { $0.events.append("drain") }
    }
    nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated {
            $0.events.append("close \((connection.tag as? Tag)?.number ?? -1) \(reason)")
            let closed = connection
            $0.connections.removeAll { $0 === closed }
        }
    }

    private func read(_ connection: Connection) {
        let bytes = connection.withInput { bytes, consumed in
            consumed = consumesNothing ? 0 : min(bytes.count, consumesAtMost ?? .max)
            return Array(bytes[..<consumed])
        }
        received += bytes
        if consumesAtMost != nil { events.append("read \(bytes.count)") }
        if readCost > 0 { usleep(readCost) }
        if bytes == Array("close".utf8) {
            // Twice, and inside a view.
            connection.withInput { _, _ in
                connection.close()
                connection.close()
            }
            connection.close()
            events.append("after close")
            connection.send(Array("nothing".utf8))
        }
    }

    // MARK: Asked

    var count: Int { connections.count }
    var outputCounts: [Int] { connections.map(\.outputCount) }
    func isAccepting() -> Bool { listener != nil }
    func send(_ bytes: [UInt8]) { for connection in connections { connection.send(bytes) } }
    func sendMany(_ frames: [[UInt8]]) { for frame in frames { send(frame) } }
    func setReading(_ on: Bool) { for connection in connections { connection.setReading(on) } }
    func setInputLimit(_ bytes: Int) { for connection in connections { connection.setInputLimit(bytes) } }
    func consume(atMost count: Int?) { consumesAtMost = count }
    func consumeNothing(_ nothing: Bool) { consumesNothing = nothing }
    func close() { for connection in connections { connection.close() } }
    func closeAfterFlush(timeout: Duration) { for connection in connections { connection.closeAfterFlush(timeout: timeout) } }
    func enableKeepAlive() throws {
        for connection in connections {
            try connection.enableTCPKeepAlive()
        }
    }
    /// Drives libevent's callback by hand, as if it went on after the end.
    func reportErrors() {
        guard let connection = connections.first else { return }
        let context = Unmanaged.passUnretained(connection).toOpaque()
        connection.end(.failed(ETIMEDOUT))
        connection.end(.failed(EIO))
        for what in [ps_ev_read(), ps_ev_write()] {
            readyThunk(-1, what, context)
            readyThunk(-1, what, nil)
        }
    }
    func forgetHandler() { for connection in connections { connection.handler = nil } }
    func peers() -> [SocketAddress] { connections.map(\.clientAddress) }
    func locals() throws -> [SocketAddress] { try connections.map { try $0.localAddress } }
    func stopAccepting() { listener?.stopAccepting() }

    /// Does something while the loop looks at nothing.
    func whileLoopStands(_ work: @Sendable () throws -> Void) rethrows { try work() }

    /// Blocks the loop, so that what happens meanwhile is found all at once.
    func sleep(_ microseconds: UInt32) { usleep(microseconds) }

    /// Has a byte from each of these sockets found at once, each take that long to be read, and a timer become due meanwhile.
    func readSlowly(_ cost: UInt32, from descriptors: [Int32], timer delay: Duration) throws {
        consumesAtMost = .max
        readCost = cost
        timer = try Timer(on: loop, after: delay) { [unowned self] in assumeIsolated { $0.events.append("timer") } }
        for descriptor in descriptors {
            guard Glibc.send(descriptor, "x", 1, 0) == 1 else { throw LibeventError.system(call: "send", code: errno) }
        }
    }

    /// Accepts what is there and stops, while the loop has had no chance to.
    func stopBehind(_ connect: @Sendable () throws -> Void) rethrows {
        try connect()
        listener?.stopAccepting()
    }

    func stop() {
        listener = nil
        timer = nil
        close()
    }
}

/// A switchboard for one test.
func withSwitchboard<R>(_ body: @concurrent (Switchboard, SocketAddress) async throws -> R) async throws -> R {
    try await withLoop { loop in
        let board = Switchboard(on: loop)
        let address = try await board.listen()
        let result: Result<R, any Error>
        do { result = .success(try await body(board, address)) } catch { result = .failure(error) }
        await board.stop()
        return try result.get()
    }
}
