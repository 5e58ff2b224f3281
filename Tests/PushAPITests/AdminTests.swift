import Base
import JSON
import Push
import Testing

@testable import PushAPI

@Suite("The operators' interface")
struct AdminTests {
    @Test(
        "a missing, wrong or repeated bearer token is 401 with 2005",
        arguments: [
            [], [""], ["Bearer"], ["Bearer "], ["Bearer wrong"], ["Bearer \(Served.adminToken)x"], ["Basic \(Served.adminToken)"],
            [Served.adminToken], ["Bearer \(Served.adminToken)", "Bearer \(Served.adminToken)"],
        ])
    func tokens(values: [String]) async throws {
        try await Served.with { served in
            var call = Call(method: "GET", target: "/psp/admin/apps")
            for value in values { call = call.with("Authorization", value) }
            let reply = try served.operate(call)
            expect(reply, 2005, status: 401, field: "Authorization")
            #expect(reply.headers["www-authenticate"] == "Bearer")
            #expect(!reply.text.contains(Served.adminToken))
        }
    }

    @Test("the scheme is known in any case, and the token is asked before the query, after address, method and framing")
    func order() async throws {
        try await Served.with { served in
            let call = Call(method: "GET", target: "/psp/admin/apps").with("authorization", "bearer \(Served.adminToken)")
            expectSuccess(try served.operate(call))
            expect(try served.operate(Call(method: "GET", target: "/psp/admin/nowhere")), 2107, status: 400)
            let method = try served.operate(Call(method: "POST", target: "/psp/admin/apps/a"))
            expect(method, 2108, status: 405)
            #expect(method.headers["allow"] == "PUT, GET, HEAD, DELETE, OPTIONS")
            expect(try served.operate(Call(method: "DELETE", target: "/psp/admin/apps/a", body: "{}")), 2103, status: 400)
            expect(
                try served.operate(Call(method: "GET", target: "/psp/admin/apps?x=1")), 2005, status: 401, field: "Authorization")
            expect(try served.operate(.admin("GET", "/psp/admin/apps?x=1")), 2104, status: 400, field: "x")
            let large = "{" + String(repeating: " ", count: 65_536)
            expect(try served.operate(Call(method: "PUT", target: "/psp/admin/apps/a", body: large)), 2106, status: 413)
        }
    }

    @Test("a new app is 201 with its secret, made where none was given; a change is 202")
    func putApp() async throws {
        var script = FakeStore.Script()
        script.change = { change throws(StoreError) in
            guard case .putApp(_, let fields, let secretIfNew) = change else { throw .unknown }
            return .created(secret: fields.masterSecret ?? secretIfNew)
        }
        try await Served.with(script) { served in
            let body = #"{"name":"A","interfaces":["msg"],"org_id":"root","disabled":true}"#
            let made = try served.operate(.admin("PUT", "/psp/admin/apps/a", body))
            expectSuccess(made, status: 201)
            #expect(try made.data()["appkey"]?.string == "a")
            let secret = try #require(try made.data()["master_secret"]?.string)
            #expect(secret.utf8.count == 32)
            let given = try served.operate(
                .admin("PUT", "/psp/admin/apps/a", #"{"name":"A","interfaces":[],"master_secret":"s3"}"#))
            #expect(given.text == #"{"ret":"SUCCESS","data":{"appkey":"a","master_secret":"s3"}}"#)
            served.store.rewrite { $0.change = { _ throws(StoreError) in .updated } }
            let updated = try served.operate(.admin("PUT", "/psp/admin/apps/a%3Ab", #"{"org_id":null}"#))
            #expect(updated.text == #"{"ret":"SUCCESS","data":{"appkey":"a:b"}}"#)
            expectSuccess(updated, status: 202)

            var first = AppChange()
            (first.name, first.interfaces, first.scope, first.disabled) = ("A", [.message], .set(OrgID(unchecked: "root")), true)
            var last = AppChange()
            last.scope = .clear
            let asked = served.store.asked.changes
            #expect(asked.first == .putApp(AppKey(unchecked: "a"), first, secretIfNew: secret))
            guard case .putApp(AppKey(unchecked: "a:b"), last, secretIfNew: .some) = asked.last else {
                Issue.record("\(asked)")
                return
            }
        }
    }

    @Test("organisations and devices are put, and told by their status")
    func putOthers() async throws {
        var script = FakeStore.Script()
        script.change = { change throws(StoreError) in
            guard case .putDevice(_, let fields, let secretIfNew) = change else { return .created(secret: nil) }
            return .created(secret: fields.secret ?? secretIfNew)
        }
        try await Served.with(script) { served in
            let organisation = try served.operate(.admin("PUT", "/psp/admin/orgs/o", #"{"name":"O","parent_id":"root"}"#))
            #expect(organisation.text == #"{"ret":"SUCCESS","data":{"org_id":"o"}}"#)
            expectSuccess(organisation, status: 201)
            let device = try served.operate(
                .admin("PUT", "/psp/admin/devices/d", #"{"platform":"ios","org_id":"o","user_id":"u"}"#))
            expectSuccess(device, status: 201)
            #expect(try device.data()["secret"]?.string?.utf8.count == 32)
            #expect(try device.data()["device_token"]?.string == "d")
        }
    }

    @Test("what is wrong with a PUT")
    func badPuts() async throws {
        var script = FakeStore.Script()
        script.change = { _ throws(StoreError) in throw .refused(Refusal(.missingField, field: "name")) }
        try await Served.with(script) { served in
            expect(try served.operate(.admin("PUT", "/psp/admin/apps/a", "{")), 2101, status: 400)
            expect(try served.operate(.admin("PUT", "/psp/admin/apps/a", #"{"colour":1}"#)), 2104, status: 400, field: "colour")
            expect(try served.operate(.admin("PUT", "/psp/admin/orgs/o", #"{"name":7}"#)), 2103, status: 400, field: "name")
            expect(try served.operate(.admin("PUT", "/psp/admin/apps/a%20b", "{}")), 2103, status: 400, field: "appkey")
            expect(
                try served.operate(.admin("PUT", "/psp/admin/orgs/\(String(repeating: "o", count: 129))", "{}")), 2103,
                status: 400, field: "org_id")
            expect(try served.operate(.admin("PUT", "/psp/admin/devices/%C3", "{}")), 2103, status: 400, field: "device_token")
            #expect(served.store.asked.changes.isEmpty)
            expect(try served.operate(.admin("PUT", "/psp/admin/apps/a", "{}")), 2102, status: 400, field: "name")
        }
    }

    @Test("records are shown with their names, without secrets")
    func show() async throws {
        var script = FakeStore.Script()
        script.app = { key throws(StoreError) in
            guard key.text == "guarded" else {
                return App(
                    key: key, name: "A", masterSecret: "hush", interfaces: [.configuration, .message],
                    scope: OrgID(unchecked: "o"), disabled: false)
            }
            var app = App(
                key: key, name: "A", masterSecret: "hush", formerSecret: "hushed", interfaces: [.configuration, .message],
                scope: nil, disabled: false, hmacOnly: true,
                addresses: ["10.0.0.0/8", "2001:db8::1"].compactMap { AddressRange($0) })
            app.secretUse = SecretUse(master: 19_753, former: 0)
            return app
        }
        script.organisation = { id throws(StoreError) in
            Organisation(id: id, name: "O", parent: OrgID(unchecked: "root"), devices: 3, online: 2)
        }
        script.device = { token throws(StoreError) in
            Device(
                token: token, platform: .ios, organisation: OrgID(unchecked: "o"), user: UserID(unchecked: "u"), test: true,
                online: false,
                lastSeen: noon)
        }
        try await Served.with(script) { served in
            let app = try served.operate(.admin("GET", "/psp/admin/apps/a"))
            #expect(
                app.text
                    == #"{"ret":"SUCCESS","data":{"appkey":"a","name":"A","interfaces":["msg","config"],"org_id":"o","#
                    + #""disabled":false,"hmac_only":false,"former_secret":false}}"#
            )
            let guarded = try served.operate(.admin("GET", "/psp/admin/apps/guarded"))
            #expect(
                guarded.text == """
                    {"ret":"SUCCESS","data":{"appkey":"guarded","name":"A","interfaces":["msg","config"],"disabled":false,\
                    "hmac_only":true,"addresses":["10.0.0.0/8","2001:db8::1"],"master_secret_last_used":"2024-01-31",\
                    "former_secret":true,"former_secret_last_used":"1970-01-01"}}
                    """)
            let organisation = try served.operate(.admin("GET", "/psp/admin/orgs/o"))
            #expect(
                organisation.text
                    == #"{"ret":"SUCCESS","data":{"org_id":"o","name":"O","parent_id":"root","devices":3,"online":2}}"#)
            let device = try served.operate(.admin("GET", "/psp/admin/devices/d"))
            #expect(
                device.text == """
                    {"ret":"SUCCESS","data":{"device_token":"d","platform":"ios","org_id":"o","user_id":"u","test":true,\
                    "online":false,"last_seen":\(noon),"pending":0,"unacknowledged":0}}
                    """)
        }
    }

    @Test("what a device has still to get is told of one device, and not in lists")
    func backlog() async throws {
        let device = Device(
            token: DeviceToken(unchecked: "d"), platform: .ios, organisation: OrgID(unchecked: "o"), user: nil, test: false,
            online: true, lastSeen: nil)
        var script = FakeStore.Script()
        script.device = { _ throws(StoreError) in device }
        script.devices = { _, _, _ throws(StoreError) in Page(items: [device], next: nil) }
        let fields = #""device_token":"d","platform":"ios","org_id":"o","test":false,"online":true"#
        try await Served.with(script) { served in
            for (backlog, told) in [
                (
                    Backlog(
                        pending: 5, isMore: false, unacknowledged: unacknowledged([500, 2_000, 100]), now: noon),
                    #""pending":5,"unacknowledged":3,"oldest_unacknowledged_at":\#(noon - 2_000)"#
                ),
                // Its loop does not answer.
                (
                    Backlog(pending: 10_000, isMore: true, unacknowledged: nil, now: noon),
                    #""pending":10000,"pending_more":true"#
                ),
            ] {
                served.store.rewrite { $0.backlog = { _ throws(StoreError) in backlog } }
                let reply = try served.operate(.admin("GET", "/psp/admin/devices/d"))
                #expect(reply.text == #"{"ret":"SUCCESS","data":{\#(fields),\#(told)}}"#)
            }
            let list = try served.operate(.admin("GET", "/psp/admin/devices"))
            #expect(list.text == #"{"ret":"SUCCESS","data":{"items":[{\#(fields)}]}}"#)
        }
    }

    @Test("what is not there", arguments: [("apps", 2206), ("orgs", 2203), ("devices", 2201)])
    func missing(kind: String, code: Int) async throws {
        let refusal = Refusal(try #require(ErrorCode(rawValue: code)))
        var script = FakeStore.Script()
        script.change = { _ throws(StoreError) in throw .refused(refusal) }
        try await Served.with(script) { served in
            expect(try served.operate(.admin("GET", "/psp/admin/\(kind)/x")), code, status: 404)
            expect(try served.operate(.admin("DELETE", "/psp/admin/\(kind)/x")), code, status: 404)
        }
    }

    @Test("records are removed; an organisation in use is not")
    func remove() async throws {
        var script = FakeStore.Script()
        script.change = { change throws(StoreError) in
            if case .removeOrganisation = change { throw .refused(Refusal(.organisationInUse)) }
            return .removed
        }
        try await Served.with(script) { served in
            #expect(try served.operate(.admin("DELETE", "/psp/admin/apps/a")).text == #"{"ret":"SUCCESS","data":{"appkey":"a"}}"#)
            expectSuccess(try served.operate(.admin("DELETE", "/psp/admin/devices/d")))
            expect(try served.operate(.admin("DELETE", "/psp/admin/orgs/o")), 2207, status: 409)
            #expect(
                served.store.asked.changes == [
                    .removeApp(AppKey(unchecked: "a")), .removeDevice(DeviceToken(unchecked: "d")),
                    .removeOrganisation(OrgID(unchecked: "o")),
                ])
        }
    }

    @Test("lists are paged, devices filtered by organisation, user and presence")
    func lists() async throws {
        var script = FakeStore.Script()
        script.apps = { after, limit throws(StoreError) in
            #expect(after == nil)
            #expect(limit == 100)
            return Page(items: [Served.messageApp], next: PageToken("p2"))
        }
        script.organisations = { after, limit throws(StoreError) in
            #expect(after == PageToken("p2"))
            #expect(limit == 2)
            return Page(
                items: [Organisation(id: OrgID(unchecked: "o"), name: "O", parent: nil, devices: 0, online: 0)], next: nil)
        }
        script.devices = { filter, _, _ throws(StoreError) in
            #expect(filter == DeviceFilter(organisation: OrgID(unchecked: "o"), user: UserID(unchecked: "u@x"), online: true))
            return Page(items: [], next: nil)
        }
        try await Served.with(script) { served in
            let apps = try served.operate(.admin("GET", "/psp/admin/apps?after=&limit="))
            #expect(try apps.data()["next"]?.string == "p2")
            #expect(try apps.data()["items"]?.elements.map { $0["appkey"]?.string } == ["message-app"])
            let organisations = try served.operate(.admin("GET", "/psp/admin/orgs?after=p2&limit=2"))
            #expect(
                organisations.text
                    == #"{"ret":"SUCCESS","data":{"items":[{"org_id":"o","name":"O","devices":0,"online":0}]}}"#)
            expectSuccess(try served.operate(.admin("GET", "/psp/admin/devices?org_id=o&user_id=u%40x&online=true")))
            expect(try served.operate(.admin("GET", "/psp/admin/devices?online=yes")), 2103, status: 400, field: "online")
            expect(try served.operate(.admin("GET", "/psp/admin/devices?org_id=a%20b")), 2103, status: 400, field: "org_id")
            expect(try served.operate(.admin("GET", "/psp/admin/apps?org_id=o")), 2104, status: 400, field: "org_id")
        }
    }

    @Test("a device's connection is closed")
    func disconnect() async throws {
        try await Served.with { served in
            let reply = try served.operate(.admin("POST", "/psp/admin/devices/d-1/disconnect"))
            expectSuccess(reply, status: 202)
            #expect(try reply.data()["device_token"]?.string == "d-1")
            #expect(served.store.asked.disconnected == [DeviceToken(unchecked: "d-1")])
            served.store.rewrite {
                $0.disconnect = { _ throws(StoreError) in throw .refused(Refusal(.noSuchDevice, field: "device_token")) }
            }
            expect(
                try served.operate(.admin("POST", "/psp/admin/devices/d-2/disconnect")), 2201, status: 404, field: "device_token")
            expect(try served.operate(.admin("POST", "/psp/admin/devices/d-1/disconnect?x=1")), 2104, status: 400, field: "x")
        }
    }

    @Test("how the clocks stand, and an operator's word that the wall clock is right")
    func clock() async throws {
        try await Served.with { served in
            let plain = try served.operate(.admin("GET", "/psp/admin/clock"))
            let data = #"{"store_time":\#(noon),"wall_clock":\#(noon),"offset":0,"synchronised":true,"steps":0}"#
            #expect(plain.status == 200 && plain.text == #"{"ret":"SUCCESS","data":\#(data)}"#)
            #expect(served.store.asked.clocksAccepted == 0)
            for (wait, told) in [
                (ClockState.Wait.time(45_000), #""waits_for":"time","follows_at":\#(noon + 7_000 + 45_000)"#),
                (.synchronisation, #""waits_for":"synchronisation""#),
            ] {
                let ahead = ClockState.Ahead(duration: 15_000, waitsFor: wait)
                served.store.rewrite {
                    $0.clock = ClockState(
                        storeTime: noon, wallClock: noon + 7_000, isSynchronised: false, steps: 2, ahead: ahead)
                }
                let reply = try served.operate(.admin("POST", "/psp/admin/clock/accept"))
                #expect(reply.status == 202)
                #expect(
                    reply.text.hasSuffix(
                        #""offset":7000,"synchronised":false,"steps":2,"ahead":{"since":\#(noon - 8_000),\#(told)}}}"#))
            }
            #expect(served.store.asked.clocksAccepted == 2)
            expect(try served.operate(.admin("POST", "/psp/admin/clock/accept?x=1")), 2104, status: 400, field: "x")
            expect(try served.operate(.admin("DELETE", "/psp/admin/clock")), 2108, status: 405)
        }
    }

    @Test("any app's tasks, with their app; their devices; and a recall")
    func tasks() async throws {
        var script = FakeStore.Script()
        script.tasks = { filter, after, limit throws(StoreError) in
            #expect(filter == TaskFilter(app: AppKey(unchecked: "a"), organisation: OrgID(unchecked: "o"), from: 1, to: 2))
            #expect(after == PageToken("p"))
            #expect(limit == 1)
            return Page(items: [TaskTests.report(.organisation(OrgID(unchecked: "o")))], next: nil)
        }
        script.report = { _, app throws(StoreError) in
            #expect(app == nil)
            return TaskTests.report(.user(UserID(unchecked: "u")))
        }
        script.recipients = { query throws(StoreError) in
            #expect(query.app == nil)
            return Page(items: [Recipient(device: DeviceToken(unchecked: "d"), detail: nil)], next: nil)
        }
        script.cancel = { _, app throws(StoreError) in
            #expect(app == nil)
            return .cancelled
        }
        try await Served.with(script) { served in
            let list = try served.operate(.admin("GET", "/psp/admin/tasks?appkey=a&org_id=o&from=1&to=2&after=p&limit=1"))
            expectSuccess(list)
            #expect(try list.data()["items"]?.elements.map { $0["appkey"]?.string } == [Served.app.key.text])
            let task = try served.operate(.admin("GET", "/psp/admin/tasks/t-7"))
            #expect(try task.data()["appkey"]?.string == Served.app.key.text)
            #expect(try task.data()["counts"]?["targeted"]?.int64 == 31)
            let devices = try served.operate(.admin("GET", "/psp/admin/tasks/t-7/devices?state=delivered"))
            #expect(devices.text == #"{"ret":"SUCCESS","data":{"items":[{"device_token":"d"}]}}"#)
            let cancelled = try served.operate(.admin("POST", "/psp/admin/tasks/t-7/cancel"))
            #expect(cancelled.text == #"{"ret":"SUCCESS","data":{"task_id":"t-7","status":"cancelled"}}"#)
            expectSuccess(cancelled, status: 202)
            #expect(served.store.asked.cancelled == [TaskID("t-7")])
        }
    }

    @Test("why a device has a task or has it not is told in one answer")
    func explain() async throws {
        try await Served.with { served in
            let target = "/psp/admin/tasks/t-1/explain"
            served.store.rewrite { script in
                script.explain = { task, token in
                    let report = TaskReport(
                        task: task, app: AppKey(unchecked: "a"), interface: .message, target: .device(token),
                        payload: Array("{}".utf8), testOnly: false, description: nil, tag: nil, createdAt: noon,
                        expireAt: noon + 1, status: .active, counts: Counts())
                    let device = Device(
                        token: token, platform: .android, organisation: OrgID(unchecked: "o"), user: nil, test: false,
                        online: true,
                        lastSeen: noon)
                    let wait = Explanation.Wait(
                        ahead: 2, isMore: false, behind: TaskID("t-0"),
                        unacknowledged: unacknowledged([1_000]), now: noon)
                    return Explanation(
                        task: report, device: device, standing: .addressed, state: .pending, detail: nil,
                        membership: .init(organisation: OrgID(unchecked: "o"), user: UserID(unchecked: "u"), test: false),
                        wait: wait, message: nil, now: noon)
                }
            }
            let expected = """
                {"task_id":"t-1","device_token":"d-1","reason":"waiting","state":"pending","addressed":true,\
                "status":"active","created_at":\(noon),"expire_at":\(noon + 1),\
                "membership":{"org_id":"o","user_id":"u","test":false},"online":true,"last_seen":\(noon),\
                "wait":{"ahead":2,"behind":"t-0","unacknowledged":1,"oldest_unacknowledged_at":\(noon - 1_000)}}
                """
            let reply = try served.operate(.admin("GET", target + "?device=d-1"))
            #expect(String(decoding: try reply.data().minified(), as: UTF8.self) == expected)
            expect(try served.operate(.admin("GET", target)), 2102, status: 400, field: "device")
            expect(try served.operate(.admin("GET", target + "?device=a%20b")), 2103, status: 400, field: "device")
        }
    }
}

/// Messages that were sent so many milliseconds ago.
private func unacknowledged(_ ages: [Int64]) -> Unacknowledged {
    Unacknowledged(messages: ages.map { Unacknowledged.Message(position: .start, age: $0) })
}
