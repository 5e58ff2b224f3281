import Libevent
import Testing

/// How the rooms above use this one: just as the comment at `EventLoop` says, from another module and with no trick.
actor Echo: ConnectionHandler {
    private let loop: EventLoop
    private var listener: Listener?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private(set) var closed: [Connection.CloseReason] = []
    var count: Int { connections.count }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(on loop: EventLoop) { self.loop = loop }

    func listen(on socket: ListeningSocket) throws {
        listener = try Listener(socket, on: loop) { [unowned self] connection in accept(connection) }
    }

    private func accept(_ connection: Connection) {
        connection.handler = self
        connections[ObjectIdentifier(connection)] = connection
    }

    nonisolated func connectionDidRead(_ connection: sending Connection) {
        assumeIsolated { $0.echo(connection) }
    }

    nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated {
            $0.connections[ObjectIdentifier(connection)] = nil
            $0.closed.append(reason)
        }
    }

    private func echo(_ connection: Connection) {
        let bytes = connection.withInput { bytes, consumed in
            consumed = bytes.count
            return Array(bytes)
        }
        connection.send(bytes)
    }

    func stop() {
        listener?.stopAccepting()
        listener = nil
        for connection in connections.values { connection.close() }
    }
}

actor Store {
    func value(for path: String) async -> String {
        // A real suspension.
        await Task.yield()
        return "value of \(path)"
    }
}

actor Front {
    private let loop: EventLoop
    private let store: Store
    private var server: HTTPServer?
    private(set) var leftLoop = false
    private(set) var begunLate = false
    private var begun = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(on loop: EventLoop, store: Store) { (self.loop, self.store) = (loop, store) }

    func listen(on socket: ListeningSocket) throws {
        let server = try HTTPServer(on: loop) { [unowned self] exchange in answer(exchange) }
        try server.listen(on: socket)
        self.server = server
    }

    private func answer(_ exchange: HTTPExchange) {
        let before = begun
        Task.immediate {
            begun += 1
            let text = await store.value(for: exchange.rawPath)
            if !loop.isCurrent { leftLoop = true }
            exchange.reply(status: 200, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
        }
        if begun != before + 1 { begunLate = true }
    }

    func stop() { server = nil }
}

@Suite("Actors on a loop")
struct ActorsOnALoopTests {
    @Test("an actor that owns a listener and its connections echoes")
    func echo() async throws {
        try await withLoop { loop in
            let echo = Echo(on: loop)
            let socket = try bindAnyPort()[0]
            try await echo.listen(on: socket)
            do {
                let client = try RawSocket(socket.address)
                try client.send("hello")
                #expect(try client.read(exactly: 5) == Array("hello".utf8))
                #expect(await echo.count == 1)
            }
            try await wait(until: "the connection is forgotten") { await echo.count == 0 }
            #expect(await echo.closed == [.endOfStream])
            await echo.stop()
        }
    }

    @Test("an actor answers a request after an await, on its loop")
    func front() async throws {
        try await withLoop { loop in
            let front = Front(on: loop, store: Store())
            let socket = try bindAnyPort()[0]
            try await front.listen(on: socket)
            let client = HTTPClient(host: "127.0.0.1", port: socket.address.port, on: loop)
            for path in ["/a", "/b"] {
                let answer = try await client.request(.get, path)
                #expect(answer.status == 200)
                #expect(String(decoding: answer.body, as: UTF8.self) == "value of \(path)")
                #expect(answer.header("content-type") == "text/plain")
            }
            #expect(await !front.leftLoop)
            #expect(await !front.begunLate)
            await front.stop()
        }
    }
}
