import Push
import Testing

@testable import PushAPI

@Suite("What a refused caller and the operator are told")
struct RefusalTests {
    private func english(_ call: Call) -> Call { call.with("Accept-Language", "en") }

    @Test("both languages say what would be right")
    func languages() async throws {
        try await Served.with { served in
            let body = #"{"type":"multicast","payload":{"display_type":"message","body":{"custom":"x"}}}"#
            let chinese = try served.send(.push(body))
            #expect(chinese.message == #"参数值不合法：应为 unicast、groupcast 之一，收到 "multicast""#)
            let english = try served.send(english(.push(body)))
            #expect(english.message == #"a value is not allowed: must be one of unicast, groupcast; got "multicast""#)
        }
    }

    @Test(
        "a query parameter is told what it may be",
        arguments: [
            (
                "devices?state=lost",
                "must be one of \(RecipientState.allCases.map(\.rawValue).joined(separator: ", ")); got \"lost\""
            ),
            ("devices?state=pending&limit=0", #"must be an integer from 1 to 1000; got "0""#),
            ("devices?state=pending&limit=1&limit=2", "must be given once"),
            ("devices?state=%zz", "must be percent-encoded UTF-8"),
            ("devices?state=pending&colour=red", #""colour"; listed here are state, after, limit"#), ("devices", "state"),
        ])
    func query(rest: String, words: String) async throws {
        try await Served.with { served in
            let call = Call.get("/psp/push/task/t-1/" + rest)
            let message = try #require(try served.send(english(call)).message)
            #expect(message.hasSuffix(": " + words), "\(message)")
        }
    }

    @Test("a doubled header, a wrong clock and a body with GET have reasons of their own")
    func headers() async throws {
        try await Served.with { served in
            let push = english(.push())
            let doubled = try served.send(push.with("appkey", Served.app.key.text))
            #expect(doubled.message == "unknown appkey: must be given once")
            let malformed = try served.send(push.replacing("appkey", "a b"))
            #expect(malformed.message == #"unknown appkey: must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -; got "a b""#)
            let late = try served.send(push.replacing("timestamp", "\(noon - 601_500)"))
            #expect(late.message?.contains("601.5 s behind the server's, and 600 s are allowed") == true)
            let body = try served.send(
                english(Call(method: "GET", target: "/psp/push/task/t-1", headers: Call.credentials(), body: "{}")))
            #expect(body.message == "a value is not allowed: this request takes no body")
            let method = try served.send(english(.get("/psp/push/msg")))
            #expect(method.message == "the address does not take this method: it takes POST, OPTIONS")
            let large = try served.send(english(.push(String(repeating: " ", count: 65_537))))
            #expect(large.message?.hasSuffix("the body may have 65536 bytes at most, and has 65537") == true)
        }
    }

    @Test("a refused call leaves one line a second for each code: method, path, code, app and client, and how many were left out")
    func log() async throws {
        try await Served.with { served in
            for _ in 0..<3 { expect(try served.send(.push("{").with("X-Request-Id", "r-1")), 2101, status: 400) }
            let lookup = Call(method: "GET", target: "/psp/push/task/t-1").with("X-Request-Id", "r-2")
            expect(try served.send(lookup), 2001, status: 500, field: "appkey")
            #expect(
                served.log.lines == [
                    "info: a request was refused app=50e26c315270156df0000031 client=127.0.0.1 code=2101 "
                        + "method=post path=/psp/push/msg request_id=r-1 unreported=0",
                    "info: a request was refused client=127.0.0.1 code=2001 method=get path=/psp/push/task/t-1 "
                        + "request_id=r-2 unreported=0",
                ])
        }
    }

    @Test("a request keeps the id that it brings, if it is one that may stand in a log, and is given one otherwise")
    func requestIDs() async throws {
        try await Served.with { served in
            let longest = String(repeating: "x", count: 64)
            for id in ["a", "0.Z_z-9", longest] {
                for call in [
                    Call.push(), .push("{"), Call(method: "GET", target: "/healthz"), Call(method: "GET", target: "/no"),
                ] {
                    #expect(try served.send(call.with("X-Request-Id", id)).headers["x-request-id"] == id)
                }
            }
            var made: [String] = []
            for id in ["", longest + "x", "a b", "a\"", "\u{E9}", "a,b"] {
                let reply = try served.send(Call.push("{").with("x-request-id", id))
                made.append(try #require(reply.headers["x-request-id"]))
            }
            made.append(try #require(try served.send(.push()).headers["x-request-id"]))
            // Each another one, of 12 characters.
            #expect(Set(made).count == made.count)
            #expect(made.allSatisfy { $0.utf8.count == 12 && $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) } })
            // The first that may be one counts.
            let both = Call.push().with("X-Request-Id", "a b").with("X-Request-Id", "r-1").with("X-Request-Id", "r-2")
            #expect(try served.send(both).headers["x-request-id"] == "r-1")
        }
    }

    @Test("no secret is in a line of the log, nor the query")
    func secrets() async throws {
        try await Served.with { served in
            let call = Call.push(to: "/psp/push/msg?secret=geheim").replacing("validation-token", Served.app.masterSecret)
            expect(try served.send(call), 2005, status: 401, field: "validation-token")
            #expect(served.log.lines.count == 1)
            #expect(!served.log.lines[0].contains(Served.app.masterSecret) && !served.log.lines[0].contains("geheim"))
        }
    }
}
