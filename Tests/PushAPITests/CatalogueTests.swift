import Push
import Testing

@testable import PushAPI

@Suite("The catalogue of errors, as callers see it")
struct CatalogueTests {
    @Test("each code has the interface's status")
    func statuses() {
        let table: [ErrorCode: Int] = [
            .noAppKey: 500, .noTimestamp: 500, .noToken: 500, .unknownAppKey: 401, .wrongToken: 401, .badTimestamp: 401,
            .appDisabled: 403, .interfaceNotAllowed: 403, .targetOutsideScope: 403,
            .addressNotAllowed: 403, .notPermitted: 403, .invalidJSON: 400, .missingField: 400,
            .invalidValue: 400, .unsupportedField: 400, .payloadTooLarge: 400, .requestTooLarge: 413, .noSuchAddress: 400,
            .methodNotAllowed: 405, .outBizNoReused: 400, .noSuchDevice: 404, .userHasNoDevice: 404, .noSuchOrganisation: 404,
            .noSuchTask: 404, .noTestDevice: 404, .noSuchApp: 404, .noSuchOperator: 404, .organisationInUse: 409,
            .formerSecretInUse: 409,
            .rateLimited: 429, .unavailable: 503,
            .internalError: 500,
        ]
        for code in ErrorCode.allCases { #expect(code.status == table[code], "\(code)") }
    }

    @Test("a push is answered with the store's task")
    func success() async throws {
        try await Served.with { served in
            let reply = try served.send(.push())
            expectSuccess(reply)
            #expect(reply.text == #"{"ret":"SUCCESS","data":{"task_id":"t-1"}}"#)
            let asked = served.store.asked.pushes
            #expect(asked.map(\.app) == [Served.app.key])
            #expect(asked.map(\.target) == [.device(DeviceToken(unchecked: "d-1"))])
        }
    }

    @Test("a configuration is pushed at its own address; a repeat gets the first task")
    func repeated() async throws {
        var script = FakeStore.Script()
        script.append = { _ in .repeated(TaskID("t-first")) }
        try await Served.with(script) { served in
            let reply = try served.send(.push(configurationBody, to: "/psp/push/config"))
            expectSuccess(reply)
            #expect(try reply.data()["task_id"]?.string == "t-first")
            #expect(served.store.asked.pushes.map(\.interface) == [.configuration])
        }
    }

    @Test("a missing or empty header", arguments: [("appkey", 2001), ("timestamp", 2002), ("validation-token", 2003)])
    func missingHeaders(name: String, code: Int) async throws {
        try await Served.with { served in
            expect(try served.send(.push().without(name)), code, status: 500, field: name)
            expect(try served.send(.push().replacing(name, "")), code, status: 500, field: name)
            expect(try served.send(.push().replacing(name, "  ")), code, status: 500, field: name)
        }
    }

    @Test(
        "a header given twice, in any spelling, is malformed",
        arguments: [
            ("appkey", "AppKey", 2004, "appkey"), ("timestamp", "timestamp", 2006, "timestamp"),
            ("validation-token", "validation_token", 2005, "validation-token"),
            ("validation-token", "validationToken", 2005, "validation-token"),
        ])
    func repeatedHeaders(name: String, other: String, code: Int, field: String) async throws {
        try await Served.with { served in
            let call = Call.push()
            let value = try #require(call.headers.first { $0.name == name }?.value)
            expect(try served.send(call.with(other, value)), code, status: 401, field: field)
        }
    }

    @Test(
        "the token's header has three spellings, and names know no case",
        arguments: ["validation_token", "validationToken", "VALIDATION-TOKEN"])
    func spellings(name: String) async throws {
        try await Served.with { served in
            var call = Call.push()
            call.headers = call.headers.map {
                $0.name == "validation-token" ? (name, $0.value.uppercased()) : ($0.name.uppercased(), $0.value)
            }
            expectSuccess(try served.send(call))
        }
    }

    @Test("a timestamp outside the window, or malformed, is 2006 with the server's time")
    func timestamps() async throws {
        try await Served.with { served in
            for time in ["\(noon - 600_001)", "\(noon + 600_001)", "123", "17955216000001", "+795521600000", "1795521600.0"] {
                let reply = try served.send(.push().replacing("timestamp", time))
                expect(reply, 2006, status: 401, field: "timestamp")
                #expect(try reply.data()["server_time"]?.int64 == noon)
            }
            for time in [noon - 600_000, noon + 600_000, noon / 1000] {
                var call = Call.push()
                call.headers = Call.credentials(at: time)
                expectSuccess(try served.send(call))
            }
        }
    }

    @Test("a wrong token is 2005, and a raw secret is told what is expected, never the secret")
    func wrongTokens() async throws {
        try await Served.with { served in
            let wrong = try served.send(.push().replacing("validation-token", String(repeating: "0", count: 32)))
            expect(wrong, 2005, status: 401, field: "validation-token")
            let raw = try served.send(.push().replacing("validation-token", Served.app.masterSecret))
            expect(raw, 2005, status: 401, field: "validation-token")
            #expect(raw.message?.contains("md5hex") == true)
            #expect(raw.message != wrong.message)
            #expect(!raw.text.lowercased().contains(Served.app.masterSecret.lowercased()))
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test("unknown, disabled, and not allowed to use an interface")
    func apps() async throws {
        try await Served.with { served in
            expect(try served.send(.push().replacing("appkey", "nobody")), 2004, status: 401, field: "appkey")
            expect(try served.send(.push().replacing("appkey", "no body!")), 2004, status: 401, field: "appkey")
            expect(try served.send(.push(by: Served.disabledApp)), 2007, status: 403, field: "appkey")
            let config = Call.push(configurationBody, by: Served.messageApp, to: "/psp/push/config")
            expect(try served.send(config), 2008, status: 403, field: "appkey")
        }
    }

    @Test("what is wrong with a body")
    func bodies() async throws {
        try await Served.with { served in
            expect(try served.send(.push("{")), 2101, status: 400)
            expect(try served.send(.push("")), 2101, status: 400)
            expect(try served.send(.push("[]")), 2103, status: 400)
            let title = #"{"type":"unicast","device_tokens":"d","payload":{"display_type":"notification","body":{"custom":"x"}}}"#
            expect(try served.send(.push(title)), 2102, status: 400, field: "payload.body.title")
            let extra =
                #"{"type":"unicast","device_tokens":"d","colour":1,"payload":{"display_type":"message","body":{"custom":"x"}}}"#
            expect(try served.send(.push(extra)), 2104, status: 400, field: "colour")
            let type = #"{"type":"multicast","device_tokens":"d","payload":{"display_type":"message","body":{"custom":"x"}}}"#
            expect(try served.send(.push(type)), 2103, status: 400, field: "type")
            expect(try served.send(.push().with("Content-Encoding", "gzip")), 2103, status: 400, field: "Content-Encoding")
            #expect(served.store.asked.pushes.isEmpty)
        }
    }

    @Test(
        "what the store refuses",
        arguments: [
            (.outBizNoReused, 400, "policy.out_biz_no"), (.invalidValue, 400, "policy.expire_time"),
            (.noSuchDevice, 404, "device_tokens"),
            (.userHasNoDevice, 404, "user_id"), (.noSuchOrganisation, 404, "org_id"), (.targetOutsideScope, 403, "org_id"),
            (.noTestDevice, 404, nil), (.payloadTooLarge, 400, "payload"), (.appDisabled, 403, "appkey"),
            (.rateLimited, 429, nil),
        ] as [(ErrorCode, Int, String?)])
    func refusedByTheStore(code: ErrorCode, status: Int, field: String?) async throws {
        var script = FakeStore.Script()
        script.append = { _ in .refused(Refusal(code, field: field)) }
        try await Served.with(script) { served in
            let reply = try served.send(.push())
            expect(reply, code.rawValue, status: status, field: field)
            #expect((reply.headers["retry-after"] != nil) == (code == .rateLimited))
        }
    }

    @Test("a store that takes nothing is 2302 with Retry-After in whole seconds, and one line of log")
    func unavailable() async throws {
        var script = FakeStore.Script()
        script.append = { _ in .unavailable(retryAfter: .milliseconds(2500)) }
        try await Served.with(script) { served in
            let reply = try served.send(.push())
            expect(reply, 2302, status: 503)
            #expect(reply.headers["retry-after"] == "3")
            expect(try served.send(.push()), 2302, status: 503)
            #expect(served.log.lines.count == 1)
        }
    }

    @Test("a push whose fate is unknown is 2901, logged with its cause and without secrets")
    func unknown() async throws {
        var script = FakeStore.Script()
        script.append = { _ in .unknown }
        try await Served.with(script) { served in
            expect(try served.send(.push()), 2901, status: 500)
            let line = try #require(served.log.lines.first)
            #expect(line.hasPrefix("error:"))
            #expect(line.contains("/psp/push/msg"))
            #expect(!line.contains(Served.app.masterSecret))
        }
    }

    @Test(
        "error texts are Chinese, or English where Accept-Language prefers it",
        arguments: [
            (nil, false), ("en", true), ("en-US,en;q=0.9,zh;q=0.1", true), ("zh-CN,zh;q=0.9,en;q=0.8", false),
            ("zh;q=0.2, en;q=0.3", true),
            ("*", false), ("fr", false), ("en;q=0", false),
        ] as [(String?, Bool)])
    func languages(header: String?, english: Bool) async throws {
        try await Served.with { served in
            var call = Call.push("{")
            if let header { call = call.with("Accept-Language", header) }
            let message = try #require(try served.send(call).message)
            #expect(message.utf8.allSatisfy { $0 < 128 } == english, "\(message)")
        }
    }
}
