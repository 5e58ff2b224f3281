import Push
import Testing

@testable import PushAPI

@Suite("The first check that fails answers")
struct OrderTests {
    /// A request with every fault that a caller can make, from the last check to the first; each step mends the first of them.
    @Test("address, method, size, headers, body")
    func order() async throws {
        try await Served.with { served in
            let large = String(repeating: " ", count: 65_536) + "{"
            var call = Call(method: "PUT", target: "/psp/push/nowhere?x=1", body: large)
            expect(try served.send(call), 2107, status: 400)
            call.target = "/psp/push/config?x=1"
            let method = try served.send(call)
            expect(method, 2108, status: 405)
            #expect(method.headers["allow"] == "POST, OPTIONS")
            call.method = "POST"
            expect(try served.send(call), 2106, status: 413)
            call.body = "{"
            expect(try served.send(call), 2001, status: 500, field: "appkey")
            call.headers = [("appkey", "nobody")]
            expect(try served.send(call), 2002, status: 500, field: "timestamp")
            call = call.with("timestamp", "1")
            expect(try served.send(call), 2003, status: 500, field: "validation-token")
            call = call.with("validation-token", "wrong")
            expect(try served.send(call), 2006, status: 401, field: "timestamp")
            call = call.replacing("timestamp", String(noon))
            expect(try served.send(call), 2004, status: 401, field: "appkey")
            call = call.replacing("appkey", Served.disabledApp.key.text)
            expect(try served.send(call), 2005, status: 401, field: "validation-token")
            call.headers = Call.credentials(of: Served.disabledApp)
            expect(try served.send(call), 2007, status: 403, field: "appkey")
            call.headers = Call.credentials(of: Served.messageApp)
            expect(try served.send(call), 2008, status: 403, field: "appkey")
            call.headers = Call.credentials()
            expect(try served.send(call), 2101, status: 400)
            call.body = #"{"type":"multicast","payload":{"colour":1}}"#
            expect(try served.send(call), 2104, status: 400, field: "x")
            call.target = "/psp/push/config"
            expect(try served.send(call), 2104, status: 400, field: "payload.colour")
            call.body = #"{"type":"multicast","payload":{}}"#
            call.target = "/psp/push/config?x=1"
            expect(try served.send(call), 2104, status: 400, field: "x")
            call.target = "/psp/push/config"
            expect(try served.send(call), 2102, status: 400, field: "payload.body")
            call.body = #"{"type":"multicast","payload":{"body":"a=1"}}"#
            expect(try served.send(call), 2103, status: 400, field: "type")
            #expect(served.store.asked.pushes.isEmpty)
            call.body = configurationBody
            expectSuccess(try served.send(call))
        }
    }

    @Test("a query parameter of a push is not listed; broken JSON comes before it")
    func query() async throws {
        try await Served.with { served in
            expect(try served.send(.push(to: "/psp/push/msg?debug=1")), 2104, status: 400, field: "debug")
            expect(try served.send(.push("{", to: "/psp/push/msg?debug=1")), 2101, status: 400)
            expectSuccess(try served.send(.push(to: "/psp/push/msg?")))
        }
    }
}
