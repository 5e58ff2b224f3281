import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("What the head of a request says is answered before its body is kept")
struct HeadTests {
    /// A head that announces a body, which does not come.
    private func head(_ call: Call, announcing count: Int) -> [UInt8] {
        Call(
            method: call.method, target: call.target, headers: call.headers + [("Content-Length", String(count))],
            body: ""
        ).headBytes
    }

    /// The call with its body in chunks of that size; without its end.
    private func chunked(_ call: Call, count: Int, of size: Int) -> [UInt8] {
        var bytes = Call(
            method: call.method, target: call.target, headers: call.headers + [("Transfer-Encoding", "chunked")]
        ).headBytes
        for _ in 0..<count / size {
            bytes += Array("\(String(size, radix: 16))\r\n".utf8) + [UInt8](repeating: 0x20, count: size) + [13, 10]
        }
        return bytes
    }

    private static let anyone = Call(method: "POST", target: "/psp/admin/import").with("Authorization", "Bearer wrong")

    @Test("operators: 64 connections that announce 64 MiB with a wrong token are refused at once, and nothing of it is kept")
    func wrongBearerToken() async throws {
        try await Served.with { served in
            let before = try residentBytes()
            var connections: [RawConnection] = []
            for _ in 0..<64 {
                let connection = try RawConnection(port: served.adminPort)
                try connection.send(head(Self.anyone, announcing: 64 << 20) + [UInt8](repeating: 0x20, count: 1 << 20))
                let reply = try connection.reply()
                expect(reply, 2005, status: 401, field: "Authorization")
                #expect(reply.headers["connection"] == "close")
                #expect(reply.headers["www-authenticate"] == "Bearer")
                connections.append(connection)
            }
            // Half of what was sent: a sanitizer keeps some of what is freed.
            #expect(try residentBytes() - before < 32 << 20)
        }
    }

    @Test("operators: every call that takes a body asks for the token first", arguments: ["apps", "orgs", "devices"])
    func wrongBearerTokenOfPut(kind: String) async throws {
        try await Served.with { served in
            let call = Call(method: "PUT", target: "/psp/admin/\(kind)/x")
            let connection = try RawConnection(port: served.adminPort)
            try connection.send(head(call, announcing: 60_000))
            expect(try connection.reply(), 2005, status: 401, field: "Authorization")
        }
    }

    @Test("callers: 64 connections that announce 64 MiB with a wrong token are refused at once, and nothing of it is kept")
    func tooLarge() async throws {
        try await Served.with { served in
            let call = Call.push().replacing("validation-token", String(repeating: "0", count: 32))
            let before = try residentBytes()
            var connections: [RawConnection] = []
            for _ in 0..<64 {
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(head(call, announcing: 64 << 20) + [UInt8](repeating: 0x20, count: 1 << 20))
                expect(try connection.reply(), 2106, status: 413)
                connections.append(connection)
            }
            // Half of what was sent: a sanitizer keeps some of what is freed.
            #expect(try residentBytes() - before < 32 << 20)
        }
    }

    @Test("callers: what can be said without the store is said before the body")
    func callers() async throws {
        try await Served.with { served in
            func reply(_ call: Call) throws -> HTTPReply {
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(head(call, announcing: 60_000))
                return try connection.reply()
            }
            expect(try reply(.push(to: "/psp/push/nowhere")), 2107, status: 400)
            expect(try reply(Call(method: "PUT", target: "/psp/push/msg", headers: Call.credentials())), 2108, status: 405)
            expect(try reply(Call.push().without("appkey")), 2001, status: 500, field: "appkey")
            expect(try reply(Call.push().without("timestamp")), 2002, status: 500, field: "timestamp")
            expect(try reply(Call.push().without("validation-token")), 2003, status: 500, field: "validation-token")
            expect(try reply(Call.push().replacing("timestamp", "1")), 2006, status: 401, field: "timestamp")
            expect(try reply(.push(by: Served.disabledApp)), 2007, status: 403, field: "appkey")
            expect(
                try reply(.push(configurationBody, by: Served.messageApp, to: "/psp/push/config")), 2008, status: 403,
                field: "appkey")
            #expect(served.store.asked.apps.isEmpty)
        }
    }

    @Test("callers: a key or a token in doubt is refused before the body once the store has been asked")
    func inDoubt() async throws {
        try await Served.with { served in
            let unknown = Call.push().replacing("appkey", "nobody")
            let wrong = Call.push().replacing("validation-token", String(repeating: "0", count: 32))
            for (call, code, field) in [(unknown, 2004, "appkey"), (wrong, 2005, "validation-token")] {
                expect(try served.send(call), code, status: 401, field: field)
                let asked = served.store.asked.apps.count
                let connection = try RawConnection(port: served.pushPort)
                try connection.send(head(call, announcing: 60_000))
                expect(try connection.reply(), code, status: 401, field: field)
                #expect(served.store.asked.apps.count == asked)
            }
        }
    }

    @Test("callers: nothing is kept for a key or a token in doubt: the store is asked at the head", arguments: [true, false])
    func inDoubtAtTheHead(isChunked: Bool) async throws {
        try await Served.with { served in
            let unknown = Call.push().replacing("appkey", "nobody")
            let wrong = Call.push().replacing("validation-token", String(repeating: "0", count: 32))
            for (call, code, field) in [(unknown, 2004, "appkey"), (wrong, 2005, "validation-token")] {
                let asked = served.store.asked.apps.count
                let connection = try RawConnection(port: served.pushPort)
                // One byte of the body, and the rest never comes.
                try connection.send(isChunked ? chunked(call, count: 1, of: 1) : head(call, announcing: 60_000) + [0x20])
                expect(try connection.reply(), code, status: 401, field: field)
                #expect(try connection.isClosedByServer())
                #expect(served.store.asked.apps.count == asked + 1)
            }
        }
    }

    @Test("callers: an app that another node has just made is asked for its request again, once", arguments: [true, false])
    func newApp(isChunked: Bool) async throws {
        let late = App(
            key: AppKey(unchecked: "late"), name: "Late", masterSecret: "s", interfaces: [.message], scope: nil, disabled: false)
        var script = FakeStore.Script()
        script.app = { _ throws(StoreError) in late }
        try await Served.with(script) { served in
            let connection = try RawConnection(port: served.pushPort)
            let call = Call.push(by: late)
            let head = isChunked ? chunked(call, count: 0, of: 1) : head(call, announcing: messageBody.utf8.count)
            try connection.send(head)
            let reply = try connection.reply()
            expect(reply, 2302, status: 503)
            #expect(reply.headers["retry-after"] == "1")
            #expect(try connection.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
            let again = try RawConnection(port: served.pushPort)
            try again.send(head)
            let size = String(messageBody.utf8.count, radix: 16)
            try again.send(isChunked ? "\(size)\r\n\(messageBody)\r\n0\r\n\r\n" : messageBody)
            expectSuccess(try again.reply())
            #expect(served.store.asked.apps == [late.key])
        }
    }

    @Test(
        "a chunked body over the limit is 2106, in chunks of any size and before its end", arguments: [1, 1000, 65_537, 200_000])
    func chunkedOverTheLimit(size: Int) async throws {
        try await Served.with { served in
            let count = max(size, 66_000)
            let push = try RawConnection(port: served.pushPort)
            try push.send(chunked(.push(), count: count, of: size))
            expect(try push.reply(), 2106, status: 413)
            #expect(try push.isClosedByServer())
            let operate = try RawConnection(port: served.adminPort)
            try operate.send(chunked(.admin("PUT", "/psp/admin/apps/a"), count: count, of: size))
            expect(try operate.reply(), 2106, status: 413)
            #expect(try operate.isClosedByServer())
            #expect(served.store.asked.pushes.isEmpty)
            #expect(served.store.asked.changes.isEmpty)
        }
    }

    @Test("a chunked body over the limit is 2106 whoever sends it: size comes before the caller")
    func chunkedOrder() async throws {
        try await Served.with { served in
            for call in [Call(target: "/psp/push/msg"), Call.push().replacing("validation-token", "wrong")] {
                let push = try RawConnection(port: served.pushPort)
                try push.send(chunked(call, count: 65_537, of: 65_537))
                expect(try push.reply(), 2106, status: 413)
            }
            let operate = try RawConnection(port: served.adminPort)
            try operate.send(chunked(Call(method: "PUT", target: "/psp/admin/apps/a"), count: 65_537, of: 65_537))
            expect(try operate.reply(), 2106, status: 413)
        }
    }

    @Test("chunks for a call that takes no body are 2103, even if nothing is in them")
    func chunksWithoutBody() async throws {
        try await Served.with { served in
            let connection = try RawConnection(port: served.pushPort)
            try connection.send(chunked(.get("/psp/push/task/t"), count: 0, of: 1))
            expect(try connection.reply(), 2103, status: 400)
            #expect(try connection.isClosedByServer())
        }
    }
}
