import Base
import Push
import TestKit
import Testing

@testable import PushAPI

@Suite("Pushes by operators")
struct OperatorPushTests {
    private let sender = Served.Person(role: .sender, scope: nil)
    private let address = "/psp/admin/push?appkey=demo&interface=msg"

    private func push(_ target: String, _ body: String = messageBody) -> Call { .operate("POST", target, body, by: sender.token) }

    @Test("it is the app's push, and its entry names target and task")
    func pushing() async throws {
        var script = FakeStore.Script()
        script.append = { _ in .stored(TaskID("t-1")) }
        try await Served.with(script) { served in
            let reply = try served.operate(push(address).with("X-Request-Id", "r-1"))
            #expect(reply.text == #"{"ret":"SUCCESS","data":{"task_id":"t-1"}}"#)
            let request = try #require(served.store.asked.pushes.last)
            #expect(request.app.text == "demo" && request.interface == .message && request.nonce == nil)
            let call = try #require(served.store.asked.calls.last)
            #expect(call.caller == .named(sender.identity, sender.authority) && call.requestID == "r-1")
            // The store has recorded it: whoever reads along is told the same.
            #expect(served.told == [AuditEntry(call, .push, request, task: TaskID("t-1"))])
            #expect(served.store.asked.entries.isEmpty)
        }
    }

    @Test("what the store answers is told, with the target in the entry")
    func refused() async throws {
        var script = FakeStore.Script()
        script.append = { _ in .refused(Refusal(.noSuchApp, field: "appkey")) }
        try await Served.with(script) { served in
            expect(try served.operate(push(address)), 2206, status: 404, field: "appkey")
            let entry = try #require(served.told.last)
            #expect(entry.action == .push && entry.code == 2206 && entry.target?.kind == .device)
            served.store.rewrite { $0.append = { _ in .unavailable(retryAfter: .seconds(3)) } }
            let busy = try served.operate(push(address))
            expect(busy, 2302, status: 503)
            #expect(busy.headers["retry-after"] == "3")
        }
    }

    @Test("a dry run tells what would happen, and pushes nothing")
    func dryRun() async throws {
        var script = FakeStore.Script()
        script.preview = { _ throws(StoreError) in
            .accepted(PushPreview.Addressed(android: 2, ios: 3, skippedOversize: 0, online: 1, expireAt: noon))
        }
        try await Served.with(script) { served in
            let data = try served.operate(push(address + "&dry_run=1")).data()
            #expect(data["targeted"]?.int64 == 5 && data["android"]?.int64 == 2 && data["ios"]?.int64 == 3)
            #expect(data["online"]?.int64 == 1 && data["expire_at"]?.int64 == noon && data["skipped_oversize"]?.int64 == 0)
            #expect(try #require(data["payload_size"]?.int64) > 0)
            #expect(served.store.asked.pushes.isEmpty)
            #expect(served.store.asked.entries.map(\.action) == [.pushPreview])
            #expect(served.store.asked.entries.last?.target?.kind == .device)
            served.store.rewrite { $0.preview = { _ throws(StoreError) in .repeated(TaskID("t-0")) } }
            let repeated = try served.operate(push(address + "&dry_run=1")).data()
            #expect(repeated["repeats"]?.string == "t-0" && repeated["targeted"] == nil)
        }
    }

    @Test("what is missing or not allowed is told by its name")
    func faults() async throws {
        try await Served.with { served in
            expect(try served.operate(push("/psp/admin/push?interface=msg")), 2102, status: 400, field: "appkey")
            expect(try served.operate(push("/psp/admin/push?appkey=demo")), 2102, status: 400, field: "interface")
            expect(try served.operate(push("/psp/admin/push?appkey=demo&interface=mail")), 2103, status: 400, field: "interface")
            expect(try served.operate(push("/psp/admin/push?appkey=a%20b&interface=msg")), 2103, status: 400, field: "appkey")
            expect(try served.operate(push(address + "&dry_run=yes")), 2103, status: 400, field: "dry_run")
            expect(try served.operate(push(address, "{")), 2101, status: 400)
            expect(try served.operate(push(address, "{}")), 2102, status: 400, field: "type")
            #expect(served.store.asked.pushes.isEmpty)
        }
    }
}
