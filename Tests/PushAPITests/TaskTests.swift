import Base
import JSON
import Push
import Testing

@testable import PushAPI

@Suite("What became of a push")
struct TaskTests {
    static let counts: Counts = {
        var counts = Counts()
        (counts.targeted, counts.delivered, counts.pending, counts.expired, counts.superseded) = (31, 1, 2, 3, 4)
        (counts.cancelled, counts.withdrawn, counts.skippedOversize, counts.rejected) = (5, 6, 0, 10)
        (counts.opened, counts.applied, counts.failed) = (7, 8, 9)
        return counts
    }()

    static func report(
        _ target: PushRequest.Target, interface: Interface = .message, payload: String = #"{"body":{"custom":1.10}}"#,
        description: String? = nil, tag: ExactText? = nil, expireAt: Int64? = nil
    ) -> TaskReport {
        TaskReport(
            task: TaskID("t-7"), app: Served.app.key, interface: interface, target: target, payload: Array(payload.utf8),
            testOnly: false,
            description: description, tag: tag, createdAt: noon, expireAt: expireAt, status: .active, counts: counts)
    }

    @Test("a task's report holds everything, the payload as it was sent")
    func report() async throws {
        var script = FakeStore.Script()
        script.report = { task, app throws(StoreError) in
            #expect(task == TaskID("t-7"))
            #expect(app == Served.app.key)
            return Self.report(
                .device(DeviceToken(unchecked: "d-1")), description: "says \"hi\"", tag: "spring", expireAt: noon + 5)
        }
        try await Served.with(script) { served in
            let reply = try served.send(.get("/psp/push/task/t-7"))
            expectSuccess(reply)
            #expect(
                reply.text == """
                    {"ret":"SUCCESS","data":{"task_id":"t-7","interface":"msg","type":"unicast","device_tokens":"d-1",\
                    "payload":{"body":{"custom":1.10}},"description":"says \\"hi\\"","tag":"spring","created_at":\(noon),\
                    "expire_at":\(noon + 5),"status":"active","counts":{"targeted":31,"delivered":1,"pending":2,"expired":3,\
                    "superseded":4,"cancelled":5,"withdrawn":6,"skipped_oversize":0,"rejected":10,"opened":7,"applied":8,\
                    "failed":9}}}
                    """)
        }
    }

    @Test("a target stands under the name it was sent under; absent fields are left out")
    func targets() async throws {
        try await Served.with { served in
            served.store.rewrite {
                $0.report = { _, _ throws(StoreError) in Self.report(.user(UserID(unchecked: "u")), interface: .configuration) }
            }
            let user = try served.send(.get("/psp/push/task/t-7")).data()
            #expect(
                user.members.map(\.key) == [
                    "task_id", "interface", "type", "user_id", "payload", "created_at", "status", "counts",
                ])
            #expect(user["type"]?.string == "unicast")
            #expect(user["interface"]?.string == "config")
            served.store.rewrite { $0.report = { _, _ throws(StoreError) in Self.report(.organisation(OrgID(unchecked: "o"))) } }
            let group = try served.send(.get("/psp/push/task/t-7")).data()
            #expect(group["type"]?.string == "groupcast")
            #expect(group["org_id"]?.string == "o")
        }
    }

    @Test("look-ups are signed like pushes; a disabled app is refused, the interfaces that an app may use are not asked")
    func lookUpsAreSigned() async throws {
        var script = FakeStore.Script()
        script.report = { _, _ throws(StoreError) in Self.report(.user(UserID(unchecked: "u"))) }
        try await Served.with(script) { served in
            for target in ["/psp/push/task/t", "/psp/push/task/t/devices?state=pending", "/psp/push/stats?tag=x"] {
                expect(try served.send(Call.get(target).without("appkey")), 2001, status: 500, field: "appkey")
                expect(try served.send(Call.get(target, by: Served.disabledApp)), 2007, status: 403, field: "appkey")
                expectSuccess(try served.send(Call.get(target, by: Served.messageApp)))
            }
        }
    }

    @Test("no such task")
    func noSuchTask() async throws {
        try await Served.with { served in
            expect(try served.send(.get("/psp/push/task/none")), 2204, status: 404)
            expect(try served.send(.get("/psp/push/task/none?x=1")), 2104, status: 400, field: "x")
        }
    }

    @Test("the devices of a task, page by page")
    func recipients() async throws {
        var script = FakeStore.Script()
        script.recipients = { query throws(StoreError) in
            #expect(query.task == TaskID("t"))
            #expect(query.app == Served.app.key)
            #expect(query.state == .skippedOversize)
            if query.after == nil {
                #expect(query.limit == 100)
                let items = [
                    Recipient(device: DeviceToken(unchecked: "a"), detail: nil),
                    Recipient(device: DeviceToken(unchecked: "b"), detail: "x"),
                ]
                return Page(items: items, next: PageToken("n+1"))
            }
            #expect(query.after == PageToken("n+1"))
            #expect(query.limit == 1000)
            return Page(items: [], next: nil)
        }
        try await Served.with(script) { served in
            let first = try served.send(.get("/psp/push/task/t/devices?state=skipped_oversize"))
            #expect(
                first.text
                    == #"{"ret":"SUCCESS","data":{"items":[{"device_token":"a"},{"device_token":"b","detail":"x"}],"#
                    + #""next":"n+1"}}"#
            )
            let last = try served.send(.get("/psp/push/task/t/devices?limit=1000&after=n%2B1&state=skipped_oversize"))
            #expect(last.text == #"{"ret":"SUCCESS","data":{"items":[]}}"#)
        }
    }

    @Test(
        "parameters of a list: unlisted, missing, repeated, not allowed",
        arguments: [
            ("", 2102, "state"), ("?state=", 2102, "state"), ("?state=lost", 2103, "state"),
            ("?state=pending&state=pending", 2103, "state"),
            ("?state=pending&limit=0", 2103, "limit"), ("?state=pending&limit=1001", 2103, "limit"),
            ("?state=pending&limit=ten", 2103, "limit"),
            ("?state=pending&limit=+1", 2103, "limit"), ("?state=pending&colour=red", 2104, "colour"),
            ("?colour=red", 2104, "colour"),
            ("?state=pending&limit=%zz", 2103, "limit"), ("?state=pending&after=%ff", 2103, "after"),
        ])
    func parameters(query: String, code: Int, field: String) async throws {
        try await Served.with { served in
            expect(try served.send(.get("/psp/push/task/t/devices" + query)), code, status: 400, field: field)
        }
    }

    @Test("a cancellation is 202 with where the task stands, of the app's own tasks only")
    func cancel() async throws {
        var script = FakeStore.Script()
        script.cancel = { task, app throws(StoreError) in
            #expect(app == Served.app.key)
            if task != TaskID("t-7") { throw .refused(Refusal(.noSuchTask)) }
            return .expired
        }
        try await Served.with(script) { served in
            for body in ["", "{}", " { } "] {
                let reply = try served.send(.push(body, to: "/psp/push/task/t-7/cancel"))
                expectSuccess(reply, status: 202)
                #expect(reply.text == #"{"ret":"SUCCESS","data":{"task_id":"t-7","status":"expired"}}"#)
            }
            expect(try served.send(.push("{", to: "/psp/push/task/t-7/cancel")), 2101, status: 400)
            expect(try served.send(.push("[]", to: "/psp/push/task/t-7/cancel")), 2103, status: 400)
            expect(try served.send(.push(#"{"why":1}"#, to: "/psp/push/task/t-7/cancel")), 2104, status: 400, field: "why")
            expect(try served.send(.push("{}", to: "/psp/push/task/t-7/cancel?x=1")), 2104, status: 400, field: "x")
            expect(try served.send(.push("", to: "/psp/push/task/other/cancel")), 2204, status: 404)
            expect(try served.send(.push("", to: "/psp/push/task/t-7/cancel?x=1")), 2104, status: 400, field: "x")
            #expect(served.store.asked.cancelled.map(\.text) == ["t-7", "t-7", "t-7", "other"])
        }
    }

    @Test("an app's own tasks are listed by tag, own number and time, without the app")
    func tasks() async throws {
        var script = FakeStore.Script()
        script.tasks = { filter, after, limit throws(StoreError) in
            #expect(
                filter == TaskFilter(caller: Served.app.key, tag: "春", outBizNo: "7", from: 1, to: 2)
                    || filter == TaskFilter(caller: Served.app.key))
            #expect(limit == (after == nil ? 100 : 5))
            return Page(items: [Self.report(.user(UserID(unchecked: "u")))], next: after == nil ? PageToken("9") : nil)
        }
        try await Served.with(script) { served in
            let first = try served.send(.get("/psp/push/tasks?tag=%E6%98%A5&out_biz_no=7&from=1&to=2")).data()
            #expect(first["items"]?.elements.map { $0["task_id"]?.string } == ["t-7"])
            #expect(first["items"]?.elements.allSatisfy { $0["appkey"] == nil } == true)
            #expect(first["next"]?.string == "9")
            expectSuccess(try served.send(.get("/psp/push/tasks?after=9&limit=5")))
            expect(try served.send(.get("/psp/push/tasks?org_id=o")), 2104, status: 400, field: "org_id")
            expect(try served.send(.get("/psp/push/tasks?from=x")), 2103, status: 400, field: "from")
            expect(try served.send(Call.get("/psp/push/tasks").without("appkey")), 2001, status: 500, field: "appkey")
            expect(try served.send(Call.get("/psp/push/tasks", by: Served.disabledApp)), 2007, status: 403, field: "appkey")
        }
    }

    @Test("a former holder's device says so, before what it told")
    func formerHolder() async throws {
        var script = FakeStore.Script()
        let token = DeviceToken(unchecked: "d")
        script.recipients = { _ throws(StoreError) in
            Page(
                items: [
                    Recipient(device: token, detail: nil, isFormer: true), Recipient(device: token, detail: "x", isFormer: true),
                    Recipient(device: token, detail: "x"),
                ], next: nil)
        }
        try await Served.with(script) { served in
            let items = try served.send(.get("/psp/push/task/t/devices?state=applied")).data()["items"]?.elements
            #expect(items?.map { $0["detail"]?.string } == ["former holder", "former holder: x", "x"])
        }
    }

    @Test("statistics by tag, within a time")
    func stats() async throws {
        var script = FakeStore.Script()
        script.totals = { app, tag, from, to throws(StoreError) in
            #expect(app == Served.app.key)
            #expect(tag == "春 & +")
            #expect(from == 0)
            #expect(to == noon)
            return (tasks: 3, counts: Self.counts)
        }
        try await Served.with(script) { served in
            let reply = try served.send(.get("/psp/push/stats?tag=%E6%98%A5+%26%20%2B&from=0&to=\(noon)"))
            expectSuccess(reply)
            #expect(
                reply.text == """
                    {"ret":"SUCCESS","data":{"tasks":3,"targeted":31,"delivered":1,"pending":2,"expired":3,"superseded":4,\
                    "cancelled":5,"withdrawn":6,"skipped_oversize":0,"rejected":10,"opened":7,"applied":8,"failed":9}}
                    """)
        }
    }

    @Test(
        "parameters of the statistics",
        arguments: [
            ("", 2102, "tag"), ("?tag=x&from=-1", 2103, "from"), ("?tag=x&to=1e3", 2103, "to"),
            ("?tag=x&to=99999999999999999999", 2103, "to"),
            ("?tag=x&limit=1", 2104, "limit"), ("?tag=x&from=1&from=1", 2103, "from"),
        ])
    func statsParameters(query: String, code: Int, field: String) async throws {
        try await Served.with { served in
            expect(try served.send(.get("/psp/push/stats" + query)), code, status: 400, field: field)
        }
    }

    @Test("statistics over too many tasks are the store's refusal")
    func tooManyTasks() async throws {
        var script = FakeStore.Script()
        script.totals = { _, _, _, _ throws(StoreError) in throw .refused(Refusal(.invalidValue, field: "from")) }
        try await Served.with(script) { served in
            expect(try served.send(.get("/psp/push/stats?tag=x")), 2103, status: 400, field: "from")
        }
    }
}
