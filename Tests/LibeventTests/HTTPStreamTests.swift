import Libevent
import Testing

@Suite("HTTP answers that stream")
struct HTTPStreamTests {
    private func start(_ server: Describer, _ client: RawSocket, _ request: String = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
        async throws
    {
        let count = await server.streamCount
        try client.send(request)
        try await wait(until: "the stream has begun") { await server.streamCount == count + 1 }
    }

    /// Reads until the text has come.
    private func read(_ client: RawSocket, until end: String) throws -> String {
        var text = ""
        while !text.hasSuffix(end) { text += String(decoding: try client.read(exactly: 1), as: UTF8.self) }
        return text
    }

    @Test("pieces come as they are sent, the end completes them, and the connection serves the next request")
    func pieces() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            for _ in 0..<2 {
                try await start(server, client)
                let head = try read(client, until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(head.contains("\r\nTransfer-Encoding: chunked\r\n"))
                #expect(head.contains("\r\nContent-Type: text/event-stream\r\n"))
                #expect(head.contains("\r\nDate: "))
                for text in ["data: one\n\n", "data: two\n\n"] {
                    await server.streamPiece(text)
                    #expect(try read(client, until: "\r\n" + text + "\r\n") == "b\r\n" + text + "\r\n")
                }
                await server.endStreams()
                #expect(try read(client, until: "0\r\n\r\n") == "0\r\n\r\n")
                try client.send("GET /n HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
            }
            #expect(await !server.streamEvents.contains(.disconnected))
        }
    }

    @Test(
        "for HTTP/1.0 the end of the connection is the end of the body", arguments: ["", "Connection: keep-alive\r\n"],
        [true, false])
    func http10(header: String, hasPieces: Bool) async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client, "GET /stream HTTP/1.0\r\n\(header)\r\n")
            if hasPieces { await server.streamPiece(String(repeating: "x", count: 500_000)) }
            await server.endStreams()
            let all = try client.readToEnd()
            #expect(all.hasPrefix("HTTP/1.0 200 OK\r\n"))
            #expect(all.contains("\r\nConnection: close\r\n"))
            #expect(!all.contains("keep-alive") && !all.contains("chunked"))
            #expect(all.hasSuffix("\r\n\r\n" + String(repeating: "x", count: hasPieces ? 500_000 : 0)))
        }
    }

    @Test("HEAD gets the head only, and the connection serves the next request")
    func head() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n")
            await server.streamPiece("nobody reads this")
            await server.endStreams()
            let head = try read(client, until: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("text/event-stream") && !head.contains("Content-Length"))
            try client.send("GET /n HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
        }
    }

    @Test("what a slow peer has not taken is counted, and its owner is told when it has taken all")
    func backPressure() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
            for _ in 0..<16 { await server.streamPiece(piece) }
            #expect(await server.unsentCount > 8 << 20)
            // The first piece may have gone to the system by itself.
            let before = await server.streamEvents.count
            var count = 0
            while count < 16 << 20 { count += try client.read().count }
            try await wait(until: "it has drained") { await server.streamEvents.count > before }
            #expect(await server.unsentCount == 0)
            #expect(await server.streamEvents.allSatisfy { $0 == .drained })
        }
    }

    @Test(
        "a peer that leaves is noticed, by its close and by a reset, also with bytes unsent", arguments: [true, false],
        [true, false])
    func leaving(byReset: Bool, withUnsent: Bool) async throws {
        try await withDescriber { server, address in
            do {
                let client = try RawSocket(address)
                try await start(server, client)
                if withUnsent { await server.streamPiece([UInt8](repeating: 0, count: 16 << 20)) }
                if byReset { client.setReset() }
            }
            try await wait(until: "its leaving is told") { await server.streamEvents.last == .disconnected }
            #expect(await server.connectionCount == 0)
            await server.streamPiece("nobody hears this")
            #expect(await server.unsentCount == 0)
            await server.endStreams()
            #expect(await server.streamEvents.filter { $0 == .disconnected }.count == 1)
        }
    }

    @Test("what the peer sends meanwhile is not taken in without a bound, and is served after the end")
    func input() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            // The peer's system and ours buffer some megabytes; more than that gets stuck.
            client.setNonblocking()
            let ahead = Array(String(repeating: "GET /n HTTP/1.1\r\nHost: h\r\n\r\n", count: 1000).utf8)
            let before = try residentBytes()
            var count = 0
            while count < 64 << 20, let sent = client.sendNow(ahead) { count += sent }
            #expect(count < 32 << 20)
            #expect(try residentBytes() - before < 8 << 20)
            client.setNonblocking(false)
            await server.streamPiece("x")
            await server.endStreams()
            #expect(try read(client, until: "1\r\nx\r\n0\r\n\r\n").hasPrefix("HTTP/1.1 200"))
            #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
        }
    }

    @Test("a stream is not cut by the limits of time, and silence on both sides does it no harm")
    func timeLimits() async throws {
        let limits = HTTPLimits(transferTimeout: .milliseconds(500), idleTimeout: .seconds(1))
        try await withDescriber(limits: limits) { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            let begin = ContinuousClock.now
            try await wait(until: "longer than the limits") { ContinuousClock.now - begin > .milliseconds(2500) }
            await server.streamPiece("still here")
            await server.endStreams()
            #expect(try read(client, until: "0\r\n\r\n").hasSuffix("\r\na\r\nstill here\r\n0\r\n\r\n"))
            // The limits hold again.
            #expect(try client.readToEnd() == "")
            #expect(await !server.streamEvents.contains(.disconnected))
        }
    }

    @Test("a draining server tells its streams, and is empty when they have ended")
    func drain() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            await server.drain()
            try await wait(until: "the stream is told") { await server.streamEvents.contains(.serverDrains) }
            #expect(await !server.isEmpty)
            await server.streamPiece("last")
            await server.endStreams()
            #expect(try client.readToEnd().hasSuffix("\r\n4\r\nlast\r\n0\r\n\r\n"))
            try await wait(until: "it is empty") { await server.isEmpty }
        }
    }

    @Test("a stream that is let go without its end breaks the connection off")
    func dropped() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            await server.streamPiece("half")
            #expect(try read(client, until: "half\r\n").hasPrefix("HTTP/1.1 200"))
            await server.dropStreams()
            #expect(try client.readToEnd() == "")
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test("a server that goes takes its streams along")
    func serverGone() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try await start(server, client)
            #expect(try read(client, until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
            await server.releaseServer()
            try await wait(until: "the stream is told") { await server.streamEvents == [.disconnected] }
            await server.streamPiece("nobody hears this")
            await server.endStreams()
            #expect(try client.readToEnd() == "")
        }
    }
}
