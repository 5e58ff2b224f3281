import Base
import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("A request that is signed as a whole")
struct SigningTests {
    private func signed(
        _ call: Call, nonce: String? = "n-0000000001", body: String? = nil, by app: App = Served.app, at time: Int64 = noon
    ) -> Call {
        let header = RequestSignature.header(
            for: SignedCall(method: call.method, target: call.target, isChange: call.method == "POST"), appKey: app.key,
            timestamp: String(time), nonce: nonce.flatMap { Nonce($0) }, body: Array((body ?? call.body).utf8),
            secret: app.masterSecret)
        return Call(
            method: call.method, target: call.target,
            headers: [("appkey", app.key.text), ("timestamp", String(time)), ("authorization", header)], body: call.body)
    }

    @Test("a push is taken, and the store is handed its nonce with how long it is to be remembered")
    func push() async throws {
        try await Served.with { served in
            expectSuccess(try served.send(signed(.push())))
            let nonce = try #require(Nonce("n-0000000001"))
            #expect(served.store.asked.pushes.map(\.nonce) == [UsedNonce(nonce, timestamp: noon, window: 600_000)])
            expectSuccess(try served.send(signed(.push(configurationBody, to: "/psp/push/config"), nonce: "n-0000000002")))
            expectSuccess(try served.send(.push()))
            #expect(served.store.asked.pushes.map { $0.nonce?.nonce.text } == ["n-0000000001", "n-0000000002", nil])
        }
    }

    @Test("a body that is not the one that was signed is refused, whatever it is, and reaches no store")
    func otherBody() async throws {
        try await Served.with { served in
            for call in [Call.push(), .push("{"), Call(target: "/psp/push/task/t-1/cancel")] {
                let reply = try served.send(signed(call, body: call.body + " "))
                expect(reply, 2005, status: 401, field: "authorization")
                #expect(reply.text.contains("content-sha256"))
            }
            let look = Call(method: "GET", target: "/psp/push/task/t-1")
            expect(try served.send(signed(look, nonce: nil, body: "x")), 2005, status: 401, field: "authorization")
            #expect(served.store.asked.pushes.isEmpty && served.store.asked.cancelled.isEmpty)
        }
    }

    @Test("method, path and query are those of the request line")
    func line() async throws {
        try await Served.with { served in
            let target = "/psp/push/tasks?tag=%E5%91%8A&limit=5"
            expectSuccess(try served.send(signed(Call(method: "GET", target: target), nonce: nil)))
            let other = signed(Call(method: "GET", target: target), nonce: nil)
            let moved = Call(method: "GET", target: target + "0", headers: other.headers)
            expect(try served.send(moved), 2005, status: 401, field: "authorization")
            let head = Call(method: "HEAD", target: target, headers: other.headers)
            #expect(try served.send(head).status == 401)
            let absolute = Call(method: "GET", target: "http://localhost" + target, headers: other.headers)
            expectSuccess(try served.send(absolute))
        }
    }

    @Test("what changes something needs a nonce, a look does not, and cancelling hands it to the store")
    func nonce() async throws {
        try await Served.with { served in
            expect(try served.send(signed(.push(), nonce: nil)), 2005, status: 401, field: "authorization")
            let cancel = Call(target: "/psp/push/task/t-1/cancel")
            expect(try served.send(signed(cancel, nonce: nil)), 2005, status: 401, field: "authorization")
            #expect(try served.send(signed(cancel)).status == 202)
            #expect(served.store.asked.nonces == ["n-0000000001"])
            expectSuccess(try served.send(signed(Call(method: "GET", target: "/psp/push/stats?tag=t"), nonce: nil)))
        }
    }

    @Test("a signature is refused by the head alone, before a body comes")
    func head() async throws {
        try await Served.with { served in
            var app = Served.app
            app.masterSecret = "other"
            let call = signed(.push(), by: app).with("Content-Length", "60000")
            let connection = try RawConnection(port: served.pushPort)
            try connection.send(call.headBytes)
            expect(try connection.reply(), 2005, status: 401, field: "authorization")
        }
    }

    @Test("an app's first use of its secret on a day is told, and no other")
    func use() async throws {
        try await Served.with { served in
            for _ in 0..<3 { expectSuccess(try served.send(.push())) }
            #expect(served.store.asked.secretsUsed == [Served.app.masterSecret])
            served.clock.set(noon + 86_400_000)
            let tomorrow = Call(
                target: "/psp/push/msg", headers: Call.credentials(at: noon + 86_400_000), body: messageBody)
            for _ in 0..<2 { expectSuccess(try served.send(tomorrow)) }
            #expect(served.store.asked.secretsUsed.count == 2)
        }
    }
}
