import Libevent
import TestKit
import Testing

@testable import Web

@Suite("A front")
struct FrontTests {
    @Test("a handler answers by a task or directly, and a reply has a content type of its own")
    func replies() async throws {
        try await Served.with { served in
            let hello = try served.send("GET", "/hello")
            #expect(hello.status == 200)
            #expect(hello.text == "hello")
            #expect(hello.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(try served.send("GET", "/now").text == "at once")
            let page = try served.send("GET", "/console/css/a%20b.css")
            #expect(page.text == "<p>css/a%20b.css")
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(try served.send("GET", "/orgs/a%20b/devices/c%20d").text == "a b c%20d")
        }
    }

    @Test("a body is handed over whole or in pieces")
    func bodies() async throws {
        try await Served.with { served in
            let echo = try served.send("POST", "/echo", "key: right", body: "some text")
            #expect(echo.status == 201)
            #expect(echo.text == "some text")
            #expect(echo.headers["content-type"] == "application/octet-stream")
            let large = String(repeating: "x", count: 200_000)
            #expect(try served.send("POST", "/count", "key: right", body: large).text == "200000 in 13")
        }
    }

    @Test(
        "a caller is judged once, whether the body comes with the head or behind it, and however it is framed",
        arguments: [("Content-Length: 9", "some text"), ("Transfer-Encoding: chunked", "9\r\nsome text\r\n0\r\n\r\n")])
    func judgedOnce(framing: String, body: String) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            let head = "POST /echo HTTP/1.1\r\nHost: x\r\nkey: right\r\n\(framing)\r\n\r\n"
            try connection.send(head + body)
            #expect(try connection.reply().text == "some text")
            #expect(await served.front.timesAdmitted == 1)
            // A head alone is read when what stands before it on the connection has been answered.
            try connection.send(head)
            try await until("the head is judged") { await served.front.timesAdmitted == 2 }
            try connection.send(body)
            #expect(try connection.reply().text == "some text")
            #expect(await served.front.timesAdmitted == 2)
        }
    }

    @Test("HEAD is answered as GET is, without the body")
    func head() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            for target in ["/hello", "/now", "/console/", "/nowhere", "/list"] {
                try connection.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
                let whole = try connection.reply()
                try connection.send("HEAD \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try connection.reply(toHead: true)
                #expect(head.status == whole.status)
                for name in ["content-length", "content-type"] { #expect(head.headers[name] == whole.headers[name]) }
            }
        }
    }

    @Test(
        "OPTIONS of an address is 204 with its methods, whoever asks",
        arguments: [("/hello", "GET, HEAD, OPTIONS"), ("/echo", "POST, OPTIONS"), ("*", "GET, HEAD, POST, OPTIONS")])
    func options(target: String, methods: String) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            for _ in 0..<2 {
                try connection.send("OPTIONS \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
                let reply = try connection.reply(toHead: true)
                #expect(reply.status == 204)
                #expect(reply.headers["allow"] == methods)
                for name in ["content-type", "content-length", "transfer-encoding"] { #expect(reply.headers[name] == nil) }
            }
            #expect(try served.send("OPTIONS", "/nowhere").text == "\(Rejection.noSuchAddress)")
        }
    }

    @Test("what the gate refuses is a value that the front words, in the order of the checks")
    func rejections() async throws {
        try await Served.with { served in
            func text(_ rejection: Rejection) -> String { "\(rejection)" }
            #expect(try served.send("GET", "/nowhere").text == text(.noSuchAddress))
            let method = try served.send("POST", "/hello", body: "x")
            #expect(method.text == text(.methodNotAllowed([.get, .head, .options])))
            #expect(method.headers["allow"] == "GET, HEAD, OPTIONS")
            let long = "long: " + String(repeating: "x", count: 17_000)
            #expect(try served.send("GET", "/hello", long).text == text(.headTooLarge(limit: 16 * 1024)))
            let large = String(repeating: "x", count: 101)
            #expect(try served.send("POST", "/echo", body: large).text == text(.bodyTooLarge(limit: 100, announced: 101)))
            let body = try served.send("GET", "/hello", body: "x")
            #expect(body.text == text(.framing(.bodyWithBodilessMethod)))
            #expect(body.headers["connection"] == "close")
            let unknown = try served.send("POST", "/echo", body: "x")
            #expect(unknown.text == text(.unauthorized(scheme: "Key")))
            #expect(unknown.headers["www-authenticate"] == "Key")
            let wrong = try served.send("POST", "/echo", "key: wrong", body: "x")
            #expect(wrong.status == 403)
            #expect(try served.send("GET", "/list").text == text(.missingParameter("state")))
            #expect(
                try served.send("GET", "/list?state=x&limit=y").text
                    == text(.invalidParameter("limit", .notANumber("y", 0...999_999_999_999_999))))
            #expect(try served.send("GET", "/list?state=x&limit=7").text == "7")
        }
    }

    @Test(
        "what the head alone is refused for is said before the body has come, by the same checks",
        arguments: [
            ("POST /nowhere", "key: right", 10, "noSuchAddress"), ("PUT /echo", "key: right", 10, "methodNotAllowed"),
            ("POST /echo", "key: right", 101, "bodyTooLarge"), ("POST /echo", "nokey: x", 10, "unauthorized"),
            ("POST /echo", "key: wrong", 10, "Forbidden"), ("POST /count", "key: wrong", 1 << 20, "Forbidden"),
        ])
    func judged(line: String, header: String, length: Int, error: String) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            try connection.send("\(line) HTTP/1.1\r\nHost: x\r\n\(header)\r\nContent-Length: \(length)\r\n\r\n")
            let reply = try connection.reply()
            #expect(reply.text.contains(error))
            #expect(reply.headers["connection"] == "close")
            #expect(try connection.isClosedByServer())
        }
    }

    @Test("a body that was dropped is not taken for an empty one, though its caller would be let in by now")
    func bodyDropped() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            try connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nkey: late\r\nContent-Length: 4\r\n\r\n")
            let reply = try connection.reply()
            #expect(reply.text == "\(Rejection.bodyDropped)")
            #expect(reply.headers["connection"] == "close")
            #expect(try served.send("POST", "/echo", "key: late", body: "body").text == "body")
        }
    }

    @Test("a request that is dropped unanswered is no longer in flight: a shutdown ends", .timeLimit(.minutes(1)))
    func droppedRequest() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.port)
            try connection.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
            try await until("the request is there") { await served.front.hasKept }
            await served.front.dropKeptRequest()
            #expect(try connection.reply().status == 500)
            await served.front.shutdown()
        }
    }

    @Test("a failure that is not the caller's fault is logged, at most once a second, with its cause")
    func incidents() async throws {
        try await Served.with { served in
            for _ in 0..<3 { #expect(try served.send("GET", "/failure?secret=1").status == 500) }
            let line = try #require(served.log.lines.first)
            #expect(served.log.lines.count == 1)
            #expect(line.hasPrefix("error: a request was answered with 77"))
            #expect(line.contains("out of luck"))
            #expect(line.contains("path=/failure "))
        }
    }
}
