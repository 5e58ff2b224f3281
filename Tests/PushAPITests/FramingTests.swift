import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Addresses, methods, sizes and framing")
struct FramingTests {
    @Test(
        "addresses are exact",
        arguments: [
            "/psp", "/psp/push", "/psp/push/msg/", "/psp/push//msg", "/PSP/push/msg", "/psp/push/%6dsg", "/psp/push/task/",
            "/psp/push/task/a/b",
            "/psp/push/task//devices", "/psp/admin/apps", "/metrics", "/healthz/", "//",
        ])
    func addresses(target: String) async throws {
        try await Served.with { served in
            expect(try served.send(.push(to: target)), 2107, status: 400)
        }
    }

    @Test(
        "a method that an address does not take is 2108 with Allow",
        arguments: ["GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
    func methods(method: String) async throws {
        try await Served.with { served in
            var call = Call.push()
            (call.method, call.body) = (method, "")
            let reply = try served.send(call)
            expect(reply, 2108, status: 405)
            #expect(reply.headers["allow"] == "POST, OPTIONS")
        }
    }

    @Test("HEAD is answered wherever GET is: the same headers and the same length, without the body")
    func head() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            for target in ["/psp/push/stats?tag=x", "/psp/push/task/none", "/psp/push/stats?tag=x&colour=red"] {
                var call = Call.get(target)
                try connection.send(call.bytes)
                let whole = try connection.reply()
                call.method = "HEAD"
                try connection.send(call.bytes)
                let head = try connection.reply(toHead: true)
                #expect(head.status == whole.status)
                #expect(head.headers["content-length"] == String(whole.body.count))
                #expect(head.headers["content-type"] == whole.headers["content-type"])
            }
            // Had a body come, it would stand before the next reply.
            try connection.send(Call.push().bytes)
            expectSuccess(try connection.reply())
        }
    }

    @Test("Allow names HEAD beside GET; HEAD of an address without GET is 2108, without a body")
    func headNotAllowed() async throws {
        try await Served.with { served in
            let reply = try served.send(.push("", to: "/psp/push/task/t"))
            expect(reply, 2108, status: 405)
            #expect(reply.headers["allow"] == "GET, HEAD, OPTIONS")
            let connection = try RawConnection(port: served.pushPort)
            var call = Call.get("/psp/push/msg")
            call.method = "HEAD"
            try connection.send(call.bytes)
            let head = try connection.reply(toHead: true)
            #expect(head.status == 405)
            #expect(head.headers["allow"] == "POST, OPTIONS")
            try connection.send(Call.push().bytes)
            expectSuccess(try connection.reply())
        }
    }

    @Test("a body of 64 KiB is read, one byte more is 2106")
    func bodySize() async throws {
        try await Served.with { served in
            let padding = String(repeating: " ", count: 65_536 - messageBody.utf8.count)
            expectSuccess(try served.send(.push(messageBody + padding)))
            expect(try served.send(.push(messageBody + padding + " ")), 2106, status: 413)
            #expect(served.store.asked.pushes.count == 1)
        }
    }

    @Test("headers over 16 KiB are 2106")
    func headerSize() async throws {
        try await Served.with { served in
            expectSuccess(try served.send(Call.push().with("X-Large", String(repeating: "x", count: 15_000))))
            expect(try served.send(Call.push().with("X-Large", String(repeating: "x", count: 17_000))), 2106, status: 413)
        }
    }

    @Test("a chunked body is read like any other")
    func chunked() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            let head = Call(headers: Call.credentials() + [("Transfer-Encoding", "chunked")])
            let cut = messageBody.utf8.count / 2
            var text = String(decoding: head.bytes, as: UTF8.self).replacing("Content-Length: 0\r\n", with: "")
            for piece in [messageBody.prefix(cut), messageBody.dropFirst(cut)] {
                text += "\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n"
            }
            try connection.send(text + "0\r\n\r\n")
            expectSuccess(try connection.reply())
        }
    }

    @Test("requests of one connection are answered one after the other, also when sent ahead")
    func pipelined() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            try connection.send(Call.push().bytes + Call.push("{").bytes + Call.push().bytes)
            expectSuccess(try connection.reply())
            expect(try connection.reply(), 2101, status: 400)
            expectSuccess(try connection.reply())
        }
    }

    /// What follows each head on the connection must never become a request of its own.
    @Test(
        "a request whose end is in doubt is 2103, and the connection closes",
        arguments: [
            ("Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length"),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length"),
            ("Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding"),
            ("Transfer-Encoding: identity\r\n", "Transfer-Encoding"),
        ])
    func smuggling(lines: String, field: String) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            var head = "POST /psp/push/msg HTTP/1.1\r\nHost: localhost\r\n"
            for (name, value) in Call.credentials() { head += "\(name): \(value)\r\n" }
            try connection.send(head + lines + "\r\n" + "0\r\n\r\n" + String(decoding: Call.push().bytes, as: UTF8.self))
            expect(try connection.reply(), 2103, status: 400, field: field)
            #expect(try connection.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test("a peer that speaks TLS to a port that does not is told so, before its first line has an end")
    func tls() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            // A record with the beginning of a ClientHello (RFC 8446 §5.1), in which no byte is a line feed.
            try connection.send("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{7c}\u{3}\u{3}")
            let reply = try connection.reply()
            expect(reply, 2103, status: 400)
            #expect(reply.text.contains("此端口使用不加密的 HTTP"))
            #expect(try connection.isClosedByServer())
        }
    }

    /// What libevent would answer with a page of its own, or drop.
    @Test(
        "what is not written as HTTP has it is answered as everything else is, and the connection closes",
        arguments: [
            ("nonsense\r\n\r\n", 2103, 400, nil), ("GET\r\n\r\n", 2103, 400, nil),
            ("CONNECT h:1 HTTP/1.1\r\n\r\n", 2103, 400, nil),
            ("POST x?u=http://a/psp/push/msg HTTP/1.1\r\nHost: h\r\n\r\n", 2103, 400, nil),
            ("POST /psp/push/msg#x HTTP/1.1\r\nHost: h\r\n\r\n", 2107, 400, nil),
            ("POST /psp/push/msg HTTP/2.0\r\n\r\n", 2103, 505, nil),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 2103, 505, nil),
            ("GET /nowhere HTTP/1.1\r\n\r\n", 2107, 400, nil),
            ("OPTIONS * HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 2103, 400, nil),
            ("OPTIONS /psp/push/msg HTTP/1.1\r\n\r\n", 2103, 400, "Host"),
            ("POST /psp/push/msg HTTP/1.10\r\n\r\n", 2103, 400, nil),
            ("POST /psp/push/msg HTTP/1.1\r\n\r\n", 2103, 400, "Host"),
            ("POST /psp/push/msg HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 2103, 400, "Host"),
            ("POST /psp/push/msg HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 2103, 400, nil),
            ("POST /psp/push/msg HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 2\r\n\r\n{}", 2103, 417, "Expect"),
            (
                "POST /psp/push/msg HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 2103, 400,
                "Transfer-Encoding"
            ),
        ] as [(String, Int, Int, String?)])
    func malformed(request: String, code: Int, status: Int, field: String?) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            try connection.send(request)
            expect(try connection.reply(), code, status: status, field: field)
            #expect(try connection.isClosedByServer())
        }
    }

    @Test("a request line over the limit is 2106, also when it comes in pieces", arguments: [1, 2])
    func longRequestLine(pieces: Int) async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            let line = "GET /psp/push/stats?tag=" + String(repeating: "x", count: 20_000)
            let text = pieces == 1 ? line + " HTTP/1.1\r\nHost: h\r\n\r\n" : line
            try connection.send(text)
            expect(try connection.reply(), 2106, status: 413)
        }
    }

    @Test("Content-Length with Transfer-Encoding is refused, and the connection closes")
    func lengthWithChunks() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            let head = Call(headers: Call.credentials() + [("Transfer-Encoding", "chunked")]).bytes
            try connection.send(head + Array("0\r\n\r\n".utf8) + Call.push().bytes)
            let reply = try connection.reply()
            expect(reply, 2103, status: 400, field: "Transfer-Encoding")
            #expect(try connection.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test("a body with a method that takes none is 2103, and the connection closes")
    func bodyWithGet() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            var call = Call.get("/psp/push/task/t")
            call.body = String(decoding: Call.push().bytes, as: UTF8.self)
            try connection.send(call.bytes)
            expect(try connection.reply(), 2103, status: 400)
            #expect(try connection.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test("a body sent with HEAD is not the next request")
    func bodyWithHead() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            var call = Call.push()
            (call.method, call.body) = ("HEAD", String(decoding: Call.push().bytes, as: UTF8.self))
            try connection.send(call.bytes)
            #expect(try connection.reply(toHead: true).status == 405)
            #expect(try connection.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test("a peer that leaves before the answer harms nobody")
    func earlyLeave() async throws {
        let gate = Signal()
        var script = FakeStore.Script()
        script.append = { _ in
            await gate.wait()
            return .stored(TaskID("t-late"))
        }
        try await Served.with(script) { served in
            do {
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(Call.push().bytes)
                try await until { served.store.asked.pushes.count == 1 }
            }
            served.store.rewrite { $0.append = { _ in .stored(TaskID("t-next")) } }
            gate.open()
            #expect(try served.send(.push()).text.contains("t-next"))
        }
    }
}
