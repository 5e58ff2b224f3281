import Libevent
import Testing

/// Keeps what is shown of a request in a report short.
struct Request: CustomTestStringConvertible, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let text: String
    init(stringLiteral text: String) { self.text = text }
    init(_ text: String) { self.text = text }
    var testDescription: String { text.prefix(60).debugDescription }
}

/// What must be refused reaches the handler, which answers in its own words; then the connection closes.
@Suite("HTTP requests that must be refused")
struct HTTPRefusalTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

    struct Case: CustomTestStringConvertible {
        let name: String
        let request: String
        let framing: String
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "two lengths, the body by the first",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
            framing: "duplicateContentLength"),
        Case(
            name: "two lengths, the body by the second",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\nContent-Length: 2\r\n\r\nhi",
            framing: "duplicateContentLength"),
        Case(
            name: "two equal lengths", request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            framing: "duplicateContentLength"),
        Case(
            name: "a length with a sign", request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\nhi",
            framing: "malformedContentLength"),
        Case(
            name: "a length that is no number", request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
            framing: "malformedContentLength"),
        Case(
            name: "a negative length", request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
            framing: "malformedContentLength"),
        Case(
            name: "a list of lengths", request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\nhi",
            framing: "malformedContentLength"),
        Case(
            name: "length and chunked",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            framing: "contentLengthWithTransferEncoding"),
        Case(
            name: "length and chunked, a body without end",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
            framing: "contentLengthWithTransferEncoding"),
        Case(
            name: "gzip, chunked", request: "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            framing: "unsupportedTransferEncoding"),
        Case(
            name: "identity", request: "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n" + smuggled,
            framing: "unsupportedTransferEncoding"),
        Case(
            name: "chunked twice",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            framing: "unsupportedTransferEncoding"),
        Case(
            name: "chunked and gzip, a body without end",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\nff\r\n",
            framing: "unsupportedTransferEncoding"),
        Case(
            name: "a folded transfer-encoding",
            request: "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            framing: "malformedHeader"),
        Case(
            name: "GET with a body", request: "GET /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
            framing: "bodyWithBodilessMethod"),
        Case(
            name: "DELETE with a chunked body",
            request: "DELETE /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            framing: "bodyWithBodilessMethod"),
        Case(
            name: "an unknown method with a body",
            request: "BREW /r HTTP/1.1\r\nHost: h\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n" + smuggled,
            framing: "bodyWithBodilessMethod"),
    ]

    @Test("is answered by the handler, and the connection closes", arguments: cases)
    func refused(_ refusal: Case) async throws {
        try await withDescriber { server, address in
            do {
                let client = try RawSocket(address)
                try client.send(refusal.request)
                let answer = try client.readAnswer()
                #expect(answer.status == 400)
                #expect(answer.body.contains(" /r query=- framing=\(refusal.framing) "))
                #expect(answer.head.contains("\r\nConnection: close\r\n"))
                #expect(try client.readToEnd() == "")
            }
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
            #expect(await server.seen.count == 1)
        }
    }

    @Test("also when the head comes byte by byte", arguments: cases)
    func refusedByteByByte(_ refusal: Case) async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            for byte in refusal.request.utf8 {
                do { try client.send([byte]) } catch { break }
                await Task.yield()
            }
            let answer = try client.readAnswer()
            #expect(answer.status == 400)
            #expect(answer.body.contains(" /r query=- framing=\(refusal.framing) "))
            #expect(await server.seen.count == 1)
        }
    }

    @Test("HEAD with a body closes, and the body is no request")
    func headWithBody() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("HEAD /r HTTP/1.1\r\nHost: h\r\nContent-Length: \(Self.smuggled.utf8.count)\r\n\r\n" + Self.smuggled)
            #expect(try client.readToEnd().hasPrefix("HTTP/1.1 400"))
            #expect(await server.seen == ["head /r"])
        }
    }

    @Test("a refused client that does not end its side holds up no server that drains", arguments: [true, false])
    func draining(drainsFirst: Bool) async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("POST /keep HTTP/1.1\r\nContent-Length: 60000\r\n\r\n")
            try await wait(until: "the request is there") { await server.keptCount == 1 }
            if drainsFirst { await server.drain() }
            await server.answerKept()
            #expect(try client.readAnswer().body == "late")
            if !drainsFirst { await server.drain() }
            // Well before the time that a peer has to read an answer.
            try await wait(until: "it is empty", limit: .seconds(10)) { await server.isEmpty }
            withExtendedLifetime(client) {}
        }
    }

    private static let small = HTTPLimits(maxHeaderBytes: 1000, maxBodyBytes: 2000)

    @Test(
        "a body or a head over the limit is the handler's to refuse",
        arguments: [
            Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2001\r\n\r\n" + String(repeating: "x", count: 2001)),
            Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2001\r\n\r\n"),
            Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 50_000)),
            Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000000000000\r\n\r\n"),
            Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n"),
            Request(
                "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8ff\r\n" + String(repeating: "x", count: 0x8ff)
                    + "\r\n0\r\n\r\n"),
            Request(
                "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
                    + String(repeating: "x", count: 100_000)),
            Request("GET /r HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 1000) + "\r\n\r\n"),
            Request("GET /r HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 50_000)),
            Request("GET /r HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 50_000) + "\r\n\r\n"),
            Request("GET /r HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X: y\r\n", count: 10_000) + "\r\n"),
        ])
    func overLimit(request: Request) async throws {
        try await withDescriber(limits: Self.small) { server, address in
            let client = try RawSocket(address)
            try client.send(request.text)
            var answer = try client.readAnswer()
            if answer.status == 100 { answer = try client.readAnswer() }
            #expect(answer.status == 413)
            #expect(answer.body.contains(" /r "))
            #expect(await server.seen.count == 1)
        }
    }

    @Test("a request of exactly the limits is served")
    func atLimit() async throws {
        try await withDescriber(limits: Self.small) { _, address in
            let client = try RawSocket(address)
            let head = "POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\nX: "
            let filler = String(repeating: "x", count: 1000 - head.utf8.count - 4)
            for _ in 0..<2 {
                try client.send(head + filler + "\r\n\r\n" + String(repeating: "y", count: 2000))
                let answer = try client.readAnswer()
                #expect(answer.status == 200)
                #expect(answer.body.contains("count=2000"))
            }
            try client.send(head + filler + "x\r\n\r\n" + String(repeating: "y", count: 2000))
            #expect(try client.readAnswer().status == 413)
        }
    }

    @Test("a client that sends all of a large body before it reads still gets the refusal")
    func largeUpload() async throws {
        try await withDescriber(limits: Self.small) { _, address in
            let client = try RawSocket(address)
            try client.send("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n")
            try client.send([UInt8](repeating: 0, count: 20_000_000))
            #expect(try client.readAnswer().status == 413)
            #expect(try client.readToEnd() == "")
        }
    }
}
