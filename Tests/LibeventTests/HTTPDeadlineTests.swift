import Dispatch
import Libevent
import Testing

@Suite("HTTP deadlines")
struct HTTPDeadlineTests {
    /// Keeps the loop busy until `release` is called.
    private struct BusyLoop {
        private let released = DispatchSemaphore(value: 0)
        private let begun = DispatchSemaphore(value: 0)

        func hold(_ loop: EventLoop) {
            loop.execute { [begun, released] in
                begun.signal()
                released.wait()
            }
            begun.wait()
        }

        func release() { released.signal() }
    }

    @Test("a request that has come when the idle time ends is served", arguments: [0, 1, 3])
    func lastMoment(requestsBefore: Int) async throws {
        try await withDescriber(limits: HTTPLimits(idleTimeout: .milliseconds(500))) { server, address in
            let client = try RawSocket(address)
            for _ in 0..<requestsBefore {
                try client.send("GET /before HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = try client.readAnswer()
            }
            try await wait(until: "the connection is there") { await server.connectionCount == 1 }
            // A loop that is late finds both at once: the request, and that the time is over.
            let busy = BusyLoop()
            busy.hold(server.loop)
            defer { busy.release() }
            try client.send("GET /last HTTP/1.1\r\nHost: h\r\n\r\n")
            let begin = ContinuousClock.now
            try await wait(until: "the time is over") { ContinuousClock.now - begin > .milliseconds(1500) }
            busy.release()
            #expect(try client.readAnswer().body == "get /last query=- framing=ok count=0 body=")
            // The limit holds again.
            #expect(try client.readToEnd() == "")
        }
    }

    @Test("the rest of a request that has come when its time ends is read, and only once", arguments: [false, true])
    func lateLoop(hasBody: Bool) async throws {
        try await withDescriber(limits: HTTPLimits(transferTimeout: .milliseconds(500))) { server, address in
            let client = try RawSocket(address)
            let (begin, rest) =
                hasBody
                ? ("POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab", "cd")
                : ("POST /late HTTP/1.1\r\nHos", "t: h\r\n\r\n")
            try client.send(begin)
            try await wait(until: "its beginning is read") { await server.connectionCount == 1 }
            let busy = BusyLoop()
            busy.hold(server.loop)
            defer { busy.release() }
            try client.send(rest)
            let start = ContinuousClock.now
            try await wait(until: "the time is over") { ContinuousClock.now - start > .milliseconds(1500) }
            busy.release()
            #expect(try client.readAnswer().status == 200)
        }
    }

    private static func head(chunked: Bool) -> String {
        "POST /b HTTP/1.1\r\nHost: h\r\n" + (chunked ? "Transfer-Encoding: chunked" : "Content-Length: 2097152") + "\r\n\r\n"
    }

    private static func piece(of count: Int, chunked: Bool) -> [UInt8] {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: count)
        return chunked ? Array("\(String(count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8) : bytes
    }

    @Test("a long body may take longer than the limit, as long as it comes on", arguments: [false, true])
    func longBody(chunked: Bool) async throws {
        let limits = HTTPLimits(maxBodyBytes: 4 << 20, transferTimeout: .seconds(3))
        try await withDescriber(limits: limits) { _, address in
            let client = try RawSocket(address)
            try client.send(Self.head(chunked: chunked))
            let begin = ContinuousClock.now
            for number in 1...32 {
                try client.send(Self.piece(of: 65_536, chunked: chunked))
                try await wait(until: "the next piece is due") { ContinuousClock.now - begin > .milliseconds(120 * number) }
            }
            if chunked { try client.send("0\r\n\r\n") }
            #expect(try client.readAnswer().status == 200)
            #expect(ContinuousClock.now - begin > .seconds(3), "longer than the limit")
        }
    }

    @Test("a body that drips in is not waited for, however little silence there is", arguments: [false, true])
    func drippingBody(chunked: Bool) async throws {
        let limits = HTTPLimits(maxBodyBytes: 4 << 20, transferTimeout: .milliseconds(500))
        try await withDescriber(limits: limits) { server, address in
            let client = try RawSocket(address)
            try client.send(Self.head(chunked: chunked))
            let begin = ContinuousClock.now
            await #expect(throws: (any Error).self) {
                while ContinuousClock.now - begin < .seconds(15) {
                    try client.send(Self.piece(of: 1, chunked: chunked))
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            #expect(await server.seen.isEmpty)
            #expect(await server.timeouts.requests == 1)
        }
    }

    @Test("an answer may take longer than the limit, as long as it is read")
    func longAnswer() async throws {
        try await withDescriber(limits: HTTPLimits(transferTimeout: .seconds(3))) { server, address in
            let client = try RawSocket(address)
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await wait(until: "the request is there") { await server.keptCount == 1 }
            await server.answerKept([UInt8](repeating: 120, count: 40 << 20))
            let begin = ContinuousClock.now
            var count = 0
            // Its head comes on top.
            while count <= 40 << 20 {
                let piece = try client.read(atMost: 1 << 20)
                guard !piece.isEmpty else { break }
                count += piece.count
                let due = count >> 20
                try await wait(until: "more is read") { ContinuousClock.now - begin > .milliseconds(90 * due) }
            }
            #expect(count > 40 << 20)
            #expect(ContinuousClock.now - begin > .seconds(3), "longer than the limit")
        }
    }

    @Test("who does not read an answer is not answered the next, and is let go in time")
    func unreadAnswers() async throws {
        try await withDescriber(limits: HTTPLimits(transferTimeout: .seconds(1))) { server, address in
            let client = try RawSocket(receiveBuffer: 4096)
            try client.connect(to: address)
            try client.send(String(repeating: "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", count: 20))
            try await wait(until: "its time is over") { await server.timeouts.answers == 1 }
            // Each is 128 KiB: the system keeps 64, and a little more that is on its way.
            #expect(await server.seen.count <= 2)
            #expect(await server.connectionCount == 0)
        }
    }

    @Test("who may keep the connection is told for how long, a second less than it is kept", arguments: ["/keep", "/now"])
    func announced(path: String) async throws {
        try await withDescriber(limits: HTTPLimits(idleTimeout: .seconds(43))) { server, address in
            func answer(_ request: String) async throws -> String {
                let client = try RawSocket(address)
                try client.send(request)
                if path == "/keep" {
                    try await wait(until: "the request is there") { await server.keptCount == 1 }
                    await server.answerKept()
                }
                return try client.readAnswer().head
            }
            for request in [
                "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", "GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: TE\r\n\r\n",
                "GET \(path) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            ] {
                let lines = try await answer(request).split(separator: "\r\n")
                #expect(lines.filter { $0 == "Keep-Alive: timeout=42" }.count == 1)
                #expect(lines.filter { $0 == "Connection: keep-alive" }.count == 1)
            }
            for request in ["GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET \(path) HTTP/1.0\r\n\r\n"] {
                #expect(try await !answer(request).contains("Keep-Alive:"))
            }
        }
    }

    @Test("an idle time too short to be announced is not")
    func notAnnounced() async throws {
        try await withDescriber(limits: HTTPLimits(idleTimeout: .milliseconds(1900))) { _, address in
            let client = try RawSocket(address)
            try client.send("GET /now HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try !client.readAnswer().head.contains("Keep-Alive:"))
        }
    }

    @Test("a body that makes progress is served until the time of its request is over, and not beyond")
    func wholeRequest() async throws {
        var limits = HTTPLimits(maxBodyBytes: 64 << 20, transferTimeout: .seconds(3))
        limits.requestTimeout = .seconds(5)
        try await withDescriber(limits: limits) { server, address in
            let piece = [UInt8](repeating: 120, count: 100_000)
            func post(_ count: Int) throws -> RawSocket {
                let client = try RawSocket(address)
                try client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: \(count * piece.count)\r\n\r\n")
                return client
            }
            let begin = ContinuousClock.now
            let quick = try post(8)
            let endless = try post(600)
            var sent = 0
            while true {
                try await wait(until: "its turn") { [sent] in ContinuousClock.now - begin > .milliseconds(220 * sent) }
                // For longer than a part of a body may take.
                if sent < 16, sent % 2 == 0 { try quick.send(piece) }
                sent += 1
                do { try endless.send(piece) } catch { break }
                guard ContinuousClock.now - begin < .seconds(20) else { break }
            }
            #expect(try quick.readAnswer().status == 200)
            #expect(ContinuousClock.now - begin > .seconds(5))
            #expect(ContinuousClock.now - begin < .seconds(20))
        }
    }
}
