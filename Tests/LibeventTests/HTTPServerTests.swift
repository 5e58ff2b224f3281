import Libevent
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    @Test("a request shows its method, path, query, headers and body")
    func request() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send(
                "POST /a%20b/c%2Fd?x=%20&y HTTP/1.1\r\nHost: h\r\nX-Ask: one\r\nx-ASK:   two  \r\nContent-Length: 5\r\n\r\nhello")
            let answer = try client.readAnswer()
            #expect(answer.status == 200)
            #expect(answer.body == "post /a%20b/c%2Fd query=x=%20&y framing=ok count=5 body=hello")
            #expect(answer.head.contains("\r\nX-Asked: one|two\r\n"))
            #expect(answer.head.contains("\r\nContent-Type: text/plain\r\n"))
            #expect(answer.head.contains(/\r\nDate: [A-Z][a-z][a-z], \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT\r\n/))
        }
    }

    @Test("a target in absolute form has its path taken out")
    func absoluteForm() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("GET http://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readAnswer().body == "get /p query=q framing=ok count=0 body=")
        }
    }

    @Test("one connection serves many requests, one after the other")
    func keepAlive() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            for number in 0..<100 {
                try client.send("GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readAnswer().body == "get /\(number) query=- framing=ok count=0 body=")
            }
            #expect(await server.connectionCount == 1)
        }
    }

    @Test("requests sent ahead are answered in their order, also when the first takes long")
    func pipelining() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            let ahead = (1...20).map { "POST /\($0) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" }.joined()
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n" + ahead)
            try await wait(until: "the first is there") { await server.keptCount == 1 }
            #expect(await server.seen == ["get /keep"])
            await server.answerKept()
            #expect(try client.readAnswer().body == "late")
            for number in 1...20 {
                #expect(try client.readAnswer().body == "post /\(number) query=- framing=ok count=2 body=hi")
            }
        }
    }

    @Test("a request is the same byte by byte")
    func byteByByte() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            for _ in 0..<2 {
                for byte in "PUT /p HTTP/1.1\r\nHost: h\r\nX-Ask: v\r\nContent-Length: 3\r\n\r\nabc".utf8 {
                    try client.send([byte])
                    await Task.yield()
                }
                let answer = try client.readAnswer()
                #expect(answer.body == "put /p query=- framing=ok count=3 body=abc")
                #expect(answer.head.contains("\r\nX-Asked: v\r\n"))
            }
        }
    }

    @Test("a chunked body is put together, and the next request is found after it")
    func chunked() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send(
                "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                    + "GET /n HTTP/1.1\r\nHost: h\r\n\r\n"
            )
            #expect(try client.readAnswer().body == "post /c query=- framing=ok count=5 body=abcde")
            #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
        }
    }

    @Test("HEAD is answered without a body, and its length is told")
    func head() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\nGET /close HTTP/1.1\r\nHost: h\r\n\r\n")
            let all = try client.readToEnd()
            #expect(all.hasPrefix("HTTP/1.1 200"))
            #expect(all.contains("Content-Length: 40\r\n"))
            #expect(all.split(separator: "\r\n\r\n").map { $0.hasPrefix("HTTP/1.1 200") } == [true, true, false])
            #expect(all.hasSuffix("\r\n\r\nbye"))
        }
    }

    @Test("204 has neither body nor length")
    func noContent() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try client.readAnswer()
            #expect(answer.status == 204)
            #expect(!answer.head.lowercased().contains("content-length"))
        }
    }

    @Test("a method that evhttp does not know reaches the handler", arguments: ["BREW", "PROPFIND", "get"])
    func unknownMethod(method: String) async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("\(method) /m HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readAnswer().body == "other /m query=- framing=ok count=0 body=")
        }
    }

    @Test("Expect: 100-continue is answered before the body")
    func expectContinue() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.readAnswer().status == 100)
            try client.send("ok")
            #expect(try client.readAnswer().body == "post /e query=- framing=ok count=2 body=ok")
        }
    }

    @Test(
        "the handler, the client and HTTP/1.0 can each ask for the connection to be closed",
        arguments: [
            "GET /close HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "GET /x HTTP/1.0\r\n\r\n",
            "CONNECT h:1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        ])
    func close(request: String) async throws {
        try await withDescriber { server, address in
            do {
                let client = try RawSocket(address)
                try client.send(request)
                #expect(try client.readToEnd().hasPrefix("HTTP/1."))
            }
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
            #expect(await server.seen.count == 1)
        }
    }

    @Test("an exchange that is let go is answered with 500, on the loop or off it", arguments: [true, false])
    func dropped(onLoop: Bool) async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("GET \(onLoop ? "/drop" : "/keep") HTTP/1.1\r\nHost: h\r\n\r\n")
            if !onLoop {
                try await wait(until: "it is there") { await server.keptCount == 1 }
                await server.dropKept()
            }
            let answer = try client.readAnswer()
            #expect(answer.status == 500)
            #expect(answer.head.contains("Connection: close"))
            #expect(try client.readToEnd() == "")
        }
    }

    @Test("answering is safe when the peer has gone", arguments: [true, false])
    func peerGone(byReset: Bool) async throws {
        try await withDescriber { server, address in
            do {
                let client = try RawSocket(address)
                try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
                try await wait(until: "it is there") { await server.keptCount == 1 }
                if byReset { client.setReset() }
            }
            await server.answerKept()
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test("answering is safe when the server has gone")
    func serverGone() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await wait(until: "it is there") { await server.keptCount == 1 }
            await server.stop()
            #expect(try client.readToEnd() == "")
            await server.answerKept()
        }
    }

    @Test("a large answer to a slow reader arrives whole, and what it sends meanwhile does not pile up")
    func largeAnswer() async throws {
        try await withDescriber { _, address in
            let client = try RawSocket(address)
            try client.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n")
            try client.send("GET /n HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try client.readAnswer()
            #expect(answer.body.utf8.count == 4_000_000)
            #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
        }
    }

    @Test("a drained server finishes what it has, says so, and closes what is quiet")
    func drain() async throws {
        try await withDescriber { server, address in
            let (quiet, busy) = (try RawSocket(address), try RawSocket(address))
            try quiet.send("GET /q HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try quiet.readAnswer()
            try busy.send("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n")
            try await wait(until: "it is there") { await server.keptCount == 1 }
            try await server.stopAccepting()
            #expect(await !server.isAccepting)
            await server.drain()
            #expect(try quiet.readToEnd() == "")
            #expect(await !server.isEmpty)
            await server.answerKept()
            let answer = try busy.readAnswer()
            #expect(answer.body == "late")
            #expect(answer.head.contains("Connection: close"))
            #expect(try busy.readToEnd() == "")
            try await wait(until: "it is empty") { await server.isEmpty }
            #expect(throws: LibeventError.self) { try RawSocket(address) }
        }
    }

    @Test("a connection that is slow to send a request, or silent, is closed")
    func slowClients() async throws {
        let limits = HTTPLimits(transferTimeout: .milliseconds(500), idleTimeout: .seconds(5))
        try await withDescriber(limits: limits) { server, address in
            let slow = try RawSocket(address)
            let begin = ContinuousClock.now
            try slow.send("GET /slow HT")
            // Never silent for long, so evhttp's own time limit would never come.
            await #expect(throws: (any Error).self) {
                while ContinuousClock.now - begin < .seconds(15) {
                    try slow.send("x")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(ContinuousClock.now - begin < .seconds(4))
            let silent = try RawSocket(address)
            #expect(try silent.readToEnd() == "")
            #expect(ContinuousClock.now - begin > .seconds(4))
            #expect(await server.seen.isEmpty)
            #expect(await server.connectionCount == 0)
        }
    }
}
