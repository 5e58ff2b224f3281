import CLibevent
import Testing

@testable import Libevent

@Suite("TLS on a loop")
struct TLSTests {
    private static let request = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("what OpenSSL has against one connection is not held against another, whose handshake the turn's end interrupts")
    func errorQueue() async throws {
        // Its turns end wherever they may.
        let loop = try EventLoop(name: "test", longestTurn: .zero, way: testedWay)
        loop.start()
        let board = Switchboard(on: loop)
        let socket = try bindAnyPort()[0]
        try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
        // As other connections do that the turn's end serves: an error is left in the thread's queue.
        await OnLoop(loop).run { _ in loop.atEndOfTurn { _ = SSL_CTX_use_certificate(nil, nil) } }
        let sockets = try (0..<3).map { _ in try RawSocket(socket.address) }
        for client in try sockets.map({ try TLSPeer(over: $0) }) {
            try client.connect()
            try client.send("x")
        }
        try await wait(until: "all have been heard", limit: .seconds(20)) { await board.received.count == 3 }
        await board.stop()
        loop.stop()
        loop.join()
    }

    @Test("a drain does not wait for who began a handshake and says no more, and answers who goes on")
    func drainInHandshake() async throws {
        try await withSecureServer { server, address in
            let sockets = try (0..<2).map { _ in try RawSocket(address) }
            let clients = try sockets.map { try TLSPeer(over: $0) }
            try await wait(until: "both are accepted") { await server.connectionCount == 2 }
            // The hello is in the socket when the drain begins.
            nonisolated(unsafe) let shown = clients
            try await server.drain(behind: { for client in shown { try client.sendHello() } })
            try clients[0].connect()
            try clients[0].send(Self.request)
            let answer = clients[0].readToEnd()
            #expect(answer.contains("get /x") && answer.contains("Connection: close"))
            try await wait(until: "nobody is left", limit: .seconds(10)) { await server.isEmpty }
        }
    }
}
