import Libevent
import Testing

/// Answers that a handler gives after its callback has returned, as every push's is: they do not go evhttp's way, and must look
/// the same.
@Suite("HTTP answers that come later")
struct HTTPLateAnswerTests {
    /// Waits until the handler has so many requests, and answers them.
    private func answer(_ server: Describer, _ count: Int = 1, body: [UInt8] = Array("late".utf8)) async throws {
        try await wait(until: "the request is there") { await server.keptCount == count }
        await server.answerKept(body)
    }

    @Test("a connection serves many, and says what an answer at once says")
    func keepAlive() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            for request in [
                "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n",
                "POST /keep HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi",
            ] {
                for _ in 0..<50 {
                    try client.send(request)
                    try await answer(server)
                    let answer = try client.readAnswer()
                    #expect(answer.body == "late")
                    let lines = answer.head.split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") }
                    #expect(
                        Set(lines) == [
                            "HTTP/1.1 200 OK", "X-Late: yes", "Content-Length: 4", "Connection: keep-alive",
                            "Keep-Alive: timeout=75",
                        ])
                    #expect(answer.head.contains(/\r\nDate: [A-Z][a-z][a-z], \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT\r\n/))
                }
            }
            try client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readAnswer().body == "get /x query=- framing=ok count=0 body=")
            #expect(await server.connectionCount == 1)
        }
    }

    @Test(
        "who asks for the connection to be closed, or speaks of it otherwise, gets that",
        arguments: [
            "GET /keep HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /keep HTTP/1.0\r\n\r\n",
            "GET /keep HTTP/1.1\r\nHost: h\r\nConnection: TE, close\r\n\r\n",
        ])
    func closing(request: String) async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send(request)
            try await answer(server)
            let all = try client.readToEnd()
            #expect(all.hasPrefix("HTTP/1.") && all.hasSuffix("\r\n\r\nlate"))
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test("HEAD has no body, chunked bodies and 100 Continue leave the connection usable")
    func otherWays() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("HEAD /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await answer(server)
            let head = String(decoding: try client.read(), as: UTF8.self)
            #expect(head.contains("Content-Length: 4\r\n") && head.hasSuffix("\r\n\r\n"))
            try client.send("POST /keep HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
            try await answer(server)
            #expect(try client.readAnswer().body == "late")
            try client.send("POST /keep HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.readAnswer().status == 100)
            try client.send("ok")
            try await answer(server)
            #expect(try client.readAnswer().body == "late")
        }
    }

    @Test("what is sent ahead meanwhile is answered after it, however much it is")
    func sentAhead() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await wait(until: "the request is there") { await server.keptCount == 1 }
            let ahead = (1...3000).map { "POST /\($0) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" }.joined()
            try client.send(ahead)
            try await answer(server)
            #expect(try client.readAnswer().body == "late")
            for number in 1...3000 {
                #expect(try client.readAnswer().body == "post /\(number) query=- framing=ok count=2 body=hi")
            }
        }
    }

    @Test("a client that has ended its side of the stream still gets the answer, then the connection closes")
    func halfClosed() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            client.shutDownWriting()
            try await answer(server)
            #expect(try client.readToEnd().hasSuffix("\r\n\r\nlate"))
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test(
        "a client that has sent many and ended its side gets all answers, at once or later",
        arguments: HTTPSyntaxTests.ways, [true, false])
    func halfClosedAhead(way: LibeventWay, isLate: Bool) async throws {
        try await withDescriber(way: way) { server, address in
            let client = try RawSocket(address)
            let count = 300
            let path = isLate ? "/keep" : "/x"
            let padding = String(repeating: "x", count: 200)
            let request = "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n" + padding
            try client.send(String(repeating: request, count: count) + "GET /cut HTTP/1.1\r\nHost:")
            client.shutDownWriting()
            if isLate { for _ in 0..<count { try await answer(server) } }
            let answers = try HTTPAnswers(client.readToEnd()).all
            #expect(answers.count == count)
            #expect(answers.allSatisfy { isLate ? $0.body == "late" : $0.body.hasSuffix(padding) })
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test(
        "a client that has ended its side gets the whole of a large answer, and what it asked behind it",
        arguments: HTTPSyntaxTests.ways, ["", "Connection: close\r\n"])
    func halfClosedLarge(way: LibeventWay, option: String) async throws {
        try await withDescriber(way: way) { server, address in
            let client = try RawSocket(address)
            let first = "GET /keep HTTP/1.1\r\nHost: h\r\n\(option)\r\n"
            try client.send(option.isEmpty ? first : first + "GET /behind HTTP/1.1\r\nHost: h\r\n\r\n")
            client.shutDownWriting()
            try await answer(server, body: [UInt8](repeating: UInt8(ascii: "x"), count: 16_000_000))
            let answers = try HTTPAnswers(client.readToEnd()).all
            #expect(answers.map(\.body.utf8.count) == [16_000_000])
        }
    }

    @Test("a large answer to a slow reader arrives whole, and the next request is served")
    func large() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            for _ in 0..<2 {
                try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
                try await answer(server, body: [UInt8](repeating: UInt8(ascii: "x"), count: 16_000_000))
                #expect(try client.readAnswer().body.utf8.count == 16_000_000)
            }
        }
    }

    @Test("a client that does not read its answer is closed")
    func unread() async throws {
        let limits = HTTPLimits(transferTimeout: .milliseconds(500))
        try await withDescriber(limits: limits) { server, address in
            let client = try RawSocket(address)
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await answer(server, body: [UInt8](repeating: UInt8(ascii: "x"), count: 16_000_000))
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
            #expect(try client.readToEnd().utf8.count < 16_000_000)
        }
    }

    @Test("a client that is silent after its answer, or within a request, is closed")
    func silent() async throws {
        try await withDescriber(limits: HTTPLimits(idleTimeout: .seconds(1))) { server, address in
            let client = try RawSocket(address)
            let begin = ContinuousClock.now
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            // A handler's time is not the client's silence.
            try await wait(until: "longer than the limit") { ContinuousClock.now - begin > .milliseconds(1500) }
            try await answer(server)
            #expect(try client.readToEnd().hasSuffix("\r\n\r\nlate"))
            #expect(await server.connectionCount == 0)
        }
    }
}
