import Base
import Glibc
import Libevent
import Testing

/// What is asked by the head of a request, before its body is kept.
@Suite("HTTP requests judged by their head")
struct HTTPJudgeTests {
    /// Takes 1,000 bytes for `/r`, everything for `/all`, and nothing for anything else.
    private static let judge: @Sendable (HTTPRequestHead) -> HTTPBodyVerdict = { head in
        switch head.rawPath {
        case "/r": .accept(upTo: 1000)
        case "/all": .accept(upTo: .max)
        default: .refuse
        }
    }

    private static func chunks(of size: Int, count: Int) -> String {
        String(repeating: "\(String(size, radix: 16))\r\n\(String(repeating: "x", count: size))\r\n", count: count)
    }

    @Test("a request that comes in one piece is not judged")
    func onePiece() async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            let client = try RawSocket(address)
            for request in ["POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "GET /no HTTP/1.1\r\nHost: h\r\n\r\n"]
            {
                try client.send(request)
                #expect(try client.readAnswer().status == 200)
            }
            #expect(await server.judged.isEmpty)
        }
    }

    @Test("the judge sees the head, once, whether it comes whole or in pieces", arguments: [true, false])
    func head(byteByByte: Bool) async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            let client = try RawSocket(address)
            for count in 1...2 {
                let head = "POST /r?q HTTP/1.1\r\nHost: h\r\nX-Ask: one\r\nX-Ask:  two \r\nContent-Length: 1000\r\n\r\n"
                if byteByByte {
                    for byte in head.utf8 {
                        try client.send([byte])
                        await Task.yield()
                    }
                } else {
                    try client.send(head)
                }
                try await wait(until: "the judge is asked") { await server.judged.count == count }
                try client.send(String(repeating: "x", count: 1000))
                let answer = try client.readAnswer()
                #expect(answer.status == 200)
                #expect(answer.body.contains("count=1000"))
            }
            #expect(await server.judged == Array(repeating: "post /r?q 1000 one|two", count: 2))
        }
    }

    @Test(
        "what is refused reaches the handler at once, without its body, and the connection closes",
        arguments: [
            (Request("POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"), 1000),
            (Request("POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 999)), 1000),
            (Request("POST /r HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\nhello"), 1001),
            (Request("POST /no HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), 0),
            (Request("POST /no HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), 5),
            (Request("POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"), 1001),
            (
                Request(
                    "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(of: 100, count: 10) + "1\r\n"),
                1001
            ),
        ])
    func refused(request: Request, count: Int) async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            do {
                let client = try RawSocket(address)
                try client.send(request.text)
                let answer = try client.readAnswer()
                #expect(answer.status == 403)
                #expect(answer.body.hasSuffix(" framing=ok count=\(count) body="))
                #expect(answer.head.contains("\r\nConnection: close\r\n"))
                #expect(try client.readToEnd() == "")
            }
            try await wait(until: "the connection is gone") { await server.connectionCount == 0 }
        }
    }

    @Test("a chunked body of just the size that may come is served, in chunks of every size", arguments: [1, 10, 500, 1000])
    func chunkedAtLimit(size: Int) async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            let client = try RawSocket(address)
            for _ in 0..<2 {
                try client.send(
                    "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + Self.chunks(of: size, count: 1000 / size))
                try client.send("0\r\nTrailer: t\r\n\r\n")
                #expect(try client.readAnswer().body.contains("count=1000"))
            }
            #expect(await server.judged == Array(repeating: "post /r chunked ", count: 2))
        }
    }

    @Test("also byte by byte, and what is sent ahead behind it is served")
    func chunkedByteByByte() async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            let client = try RawSocket(address)
            let text =
                "POST /r HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + Self.chunks(of: 25, count: 40) + "0\r\n\r\n"
            for byte in (text + "GET /n HTTP/1.1\r\nHost: h\r\n\r\n").utf8 { try client.send([byte]) }
            #expect(try client.readAnswer().body.contains("count=1000"))
            #expect(try client.readAnswer().body == "get /n query=- framing=ok count=0 body=")
        }
    }

    @Test("100 Continue is for those who may send a body, and is not sent to others", arguments: ["/r", "/no"])
    func expectContinue(path: String) async throws {
        try await withDescriber(judge: Self.judge) { _, address in
            let client = try RawSocket(address)
            try client.send("POST \(path) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            let first = try client.readAnswer()
            if path == "/no" {
                #expect(first.status == 403)
            } else {
                #expect(first.status == 100)
                try client.send("ok")
                #expect(try client.readAnswer().body.contains("body=ok"))
            }
        }
    }

    @Test("a request that was sent ahead is judged when its turn comes")
    func pipelined() async throws {
        try await withDescriber(judge: Self.judge) { server, address in
            let client = try RawSocket(address)
            try client.send(
                "GET /keep HTTP/1.1\r\nHost: h\r\n\r\nPOST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhello")
            try await wait(until: "the first is there") { await server.keptCount == 1 }
            #expect(await server.judged.isEmpty)
            await server.answerKept()
            #expect(try client.readAnswer().body == "late")
            #expect(try client.readAnswer().status == 403)
            #expect(try client.readToEnd() == "")
            #expect(await server.judged == ["post /no 100 "])
        }
    }

    @Test("a body with a method that takes none is refused before it comes")
    func bodilessMethod() async throws {
        try await withDescriber { server, address in
            let client = try RawSocket(address)
            try client.send("GET /all HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nhello")
            let answer = try client.readAnswer()
            #expect(answer.status == 400)
            #expect(answer.body.contains("framing=bodyWithBodilessMethod"))
            #expect(await server.judged.isEmpty)
        }
    }

    @Test("no bytes of refused bodies are kept, and the peer may send them all before it reads", arguments: [true, false])
    func memory(chunked: Bool) async throws {
        let limits = HTTPLimits(maxBodyBytes: 64 << 20)
        try await withDescriber(limits: limits, judge: Self.judge) { _, address in
            let (clients, size) = (16, 8 << 20)
            let head = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(64 << 20)"
            let before = try residentBytes()
            let sockets = try (0..<clients).map { _ in try RawSocket(address) }
            let piece = Array((chunked ? Self.chunks(of: 1 << 20, count: 1) : String(repeating: "x", count: 1 << 20)).utf8)
            for socket in sockets { try socket.send("POST /no HTTP/1.1\r\nHost: h\r\n\(head)\r\n\r\n") }
            for _ in 0..<(size >> 20) {
                for socket in sockets { try socket.send(piece) }
            }
            // All of it would be 128 MiB.
            let grown = try residentBytes() - before
            #expect(grown < 32 << 20)
            for socket in sockets { #expect(try socket.readAnswer().status == 403) }
        }
    }
}

/// The memory of this process that is in use.
func residentBytes() throws -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { throw LibeventError.system(call: "fopen", code: errno) }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 256)
    fgets(&text, 256, file)
    let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
    return (Int(words[1]) ?? 0) * 4096
}
