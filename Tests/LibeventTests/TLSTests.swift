import CLibevent
import Glibc
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

    @Test("nor against a caller, whose handshake is libevent's")
    func errorQueueOfCallers() async throws {
        let loop = try EventLoop(name: "test", longestTurn: .zero, way: testedWay)
        loop.start()
        let server = Describer(on: loop)
        let address = try await server.listen(by: TLSSource(TestIdentity.context))
        await OnLoop(loop).run { _ in loop.atEndOfTurn { _ = SSL_CTX_use_certificate(nil, nil) } }
        let sockets = try (0..<3).map { _ in try RawSocket(address) }
        for client in try sockets.map({ try TLSPeer(over: $0) }) {
            try client.connect()
            try client.send("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(client.readToEnd().contains("get /x"))
        }
        await server.stop()
        loop.stop()
        loop.join()
    }

    @Test("what comes with the end of the handshake is read, also when reading was off in between", arguments: [false, true])
    func inputBehindTheHandshake(isOff: Bool) async throws {
        try await withLoop { loop in
            let board = Switchboard(on: loop)
            let socket = try bindAnyPort()[0]
            try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
            let raw = try RawSocket(socket.address)
            let client = try TLSPeer(over: raw)
            try await wait(until: "it is accepted") { await board.count == 1 }
            let descriptor = raw.descriptor
            nonisolated(unsafe) let shown = client
            try await board.whileLoopStands { try shown.sendHello() }
            try await wait(until: "the server has answered") { ps_is_readable(descriptor) == 1 }
            if isOff { await board.setReading(false) }
            // All of it is in the socket before the server looks.
            try await board.whileLoopStands {
                try shown.connect()
                try shown.send("a")
                try shown.send("b")
                shown.sayGoodbye()
            }
            if isOff {
                try await wait(until: "it is open") { await board.events == ["open"] }
                await board.setReading(true)
            }
            try await wait(until: "the end is told") { await board.events.last == "close 0 endOfStream" }
            #expect(await board.received == Array("ab".utf8))
            await board.stop()
            withExtendedLifetime(raw) {}
        }
    }

    @Test("sessions share a way to their sockets, and neither bytes nor ends")
    func shared() async throws {
        try await withLoop { loop in
            let board = Switchboard(on: loop)
            let socket = try bindAnyPort()[0]
            try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
            var raw = try (0..<3).map { _ in try RawSocket(socket.address) }
            var clients = try raw.map { try TLSPeer(over: $0) }
            try await wait(until: "all are accepted") { await board.count == 3 }
            do {
                // Their handshakes are under way at the same time.
                nonisolated(unsafe) let shown = clients
                try await board.whileLoopStands { for client in shown { try client.sendHello() } }
            }
            for client in clients.reversed() { try client.connect() }
            try await wait(until: "all are open") { await board.events == ["open", "open", "open"] }
            await board.send(Array("to each".utf8))
            for client in clients { #expect(client.read(exactly: 7) == Array("to each".utf8)) }
            raw[0].shutDownWriting()
            try await wait(until: "an end is told") { await board.events.count == 4 }
            raw[1].setReset()
            clients.remove(at: 1)
            raw.remove(at: 1)
            try await wait(until: "the reset is told") { await board.events.count == 5 }
            #expect(await board.events[3...] == ["close 0 endOfStream", "close 1 failed(\(ECONNRESET))"])
            try clients[1].send("still here")
            try await wait(until: "it is read") { await board.received == Array("still here".utf8) }
            await board.stop()
        }
    }

    @Test("a handshake that begins with no TLS ends its connection, and says why")
    func noTLS() async throws {
        try await withLoop { loop in
            let board = Switchboard(on: loop)
            let socket = try bindAnyPort()[0]
            try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
            let client = try RawSocket(socket.address)
            try client.send("no hello")
            try await wait(until: "the end is told") { await board.events.first?.hasPrefix("close 0 insecure") == true }
            await board.stop()
            withExtendedLifetime(client) {}
        }
    }

    @Test("who asks for nothing but new keys is ended; who sends something in between may have them as often as it likes")
    func newKeys() async throws {
        try await withLoop { loop in
            let board = Switchboard(on: loop)
            let socket = try bindAnyPort()[0]
            try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
            let (honest, greedy) = (try RawSocket(socket.address), try RawSocket(socket.address))
            let (client, attacker) = (try TLSPeer(over: honest), try TLSPeer(over: greedy))
            try client.connect()
            try attacker.connect()
            try await wait(until: "both are open") { await board.count == 2 }
            for round in 1...4 {
                try client.renewKeys(RecordWatch.mostInARow)
                try client.send("a")
                try await wait(until: "it is read") { await board.received.count == round }
            }
            // The socket holds thousands of them before the server looks.
            nonisolated(unsafe) let shown = attacker
            try await board.whileLoopStands { try shown.renewKeys(5_000) }
            try await wait(until: "the end is told") { await board.events.last == "close 1 endOfStream" }
            try client.send("a")
            try await wait(until: "the other one goes on") { await board.received.count == 5 }
            await board.stop()
        }
    }

    @Test("the same of a caller")
    func newKeysOfCallers() async throws {
        try await withSecureServer { _, address in
            let raw = try RawSocket(address)
            let attacker = try TLSPeer(over: raw)
            try attacker.connect()
            // It may end while they are sent.
            try? attacker.renewKeys(5_000)
            #expect(attacker.readToEnd() == "")
        }
    }

    @Test("what the peer does not take waits encrypted, in order, and is written when it does")
    func slowPeer() async throws {
        try await withLoop { loop in
            let board = Switchboard(on: loop)
            let socket = try bindAnyPort()[0]
            try await board.listen(on: socket, by: TLSSource(TestIdentity.context))
            let raw = try RawSocket(socket.address)
            let client = try TLSPeer(over: raw)
            try client.connect()
            try await wait(until: "it is open") { await board.events == ["open"] }
            let frames = (0..<4000).map { number in [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 4000) }
            await board.sendMany(frames)
            #expect(await board.outputCounts[0] > 0)
            #expect(client.read(exactly: 4000 * 4000) == Array(frames.joined()))
            try await wait(until: "the buffer is empty") { await board.events == ["open", "drain"] }
            await board.stop()
        }
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
