import Base
import JSON
import Push
import Testing

@testable import PushAPI
@testable import Web

/// What of operators' requests is recorded, by whom, and how it is read.
@Suite("The audit log at the operators' interface")
struct AuditTests {
    private let here = IPAddress("127.0.0.1")

    @Test("every route is recorded, but probes, descriptions, metrics and what monitors ask for all the time")
    func routes() {
        let bare = AdminFront.routes.routes.filter { $0.audited == nil }.map { "\($0.method.name) \($0.pattern.text)" }
        #expect(
            Set(bare) == [
                "GET /", "GET /healthz", "GET /readyz", "GET /psp/openapi.yaml", "GET /metrics", "GET /psp/admin/status",
                "GET /psp/admin/log-level", "GET /psp/admin/clock", "GET /psp/admin/nodes",
            ])
    }

    @Test("a question is recorded with who, from where, to what and the result; the same again within a minute is not")
    func questions() async throws {
        try await Served.with { served in
            for _ in 0..<3 {
                _ = try served.operate(.admin("GET", "/psp/admin/devices/phone-1").with("X-Request-Id", "r-1"))
                _ = try served.operate(.admin("GET", "/psp/admin/orgs"))
            }
            let call = OperatorCall(.installation, client: here, requestID: "r-1")
            let entries = served.store.asked.entries
            #expect(entries.count == 2)
            #expect(entries.first == AuditEntry(call, .deviceRead, AuditTarget(.device, "phone-1"), code: 2201))
            #expect(entries.last?.action == .organisationList && entries.last?.code == 0)
            #expect(served.told == entries)
        }
    }

    @Test("a change is the store's to record; what was refused before it, and what is not known, is recorded here")
    func changes() async throws {
        var script = FakeStore.Script()
        script.change = { _ throws(StoreError) in .updated }
        try await Served.with(script) { served in
            let body = #"{"name":"Police"}"#
            expectSuccess(try served.operate(.admin("PUT", "/psp/admin/orgs/police", body)), status: 202)
            served.store.rewrite { $0.change = { _ throws(StoreError) in throw .refused(Refusal(.noSuchOrganisation)) } }
            expect(try served.operate(.admin("PUT", "/psp/admin/orgs/police", body)), 2203, status: 404)
            #expect(served.store.asked.entries.isEmpty)
            served.store.rewrite { $0.change = { _ throws(StoreError) in throw .unavailable(retryAfter: .seconds(1)) } }
            expect(try served.operate(.admin("PUT", "/psp/admin/orgs/police", body)), 2302, status: 503)
            served.store.rewrite { $0.change = { _ throws(StoreError) in throw .unknown } }
            expect(try served.operate(.admin("PUT", "/psp/admin/orgs/police", body)), 2901, status: 500)
            expect(
                try served.operate(.admin("PUT", "/psp/admin/orgs/police", #"{"colour":1}"#)), 2104, status: 400, field: "colour")
            #expect(served.store.asked.entries.map(\.code) == [2302, 2901, 2104])
            #expect(served.store.asked.entries.allSatisfy { $0.action == .organisationPut && $0.target?.id == "police" })
            // Whoever reads along is told of all of them.
            #expect(served.told.map(\.code) == [0, 2203, 2302, 2901, 2104])
        }
    }

    @Test("probes, metrics and the status leave no trace")
    func unrecorded() async throws {
        try await Served.with { served in
            for path in ["/healthz", "/readyz", "/metrics", "/psp/admin/status", "/psp/admin/clock", "/psp/admin/log-level"] {
                _ = try served.operate(.admin("GET", path))
            }
            #expect(served.store.asked.entries.isEmpty)
        }
    }

    @Test("who shows no token is counted and has no entry; a name that cannot be seen is escaped in one that has")
    func turnedAway() async throws {
        try await Served.with { served in
            for _ in 0..<3 { _ = try served.operate(Call(method: "GET", target: "/psp/admin/apps")) }
            #expect(served.store.asked.entries.isEmpty)
            let counts = await served.admin.takeRefusals()
            #expect(counts.map(\.key) == [RefusalCount.Key(.operators, name: nil, client: here, code: 2005)])
            #expect(counts.map(\.count) == [3])
            _ = try served.operate(.admin("GET", "/psp/admin/devices/a%0A%E2%80%AEb"))
            #expect(served.store.asked.entries.last?.target?.id == "a\\u000a\\u202eb")
        }
    }

    @Test("a log-in that failed is counted by the name that was tried, and makes no entry")
    func failedLogin() async throws {
        try await Served.with { served in
            let body = #"{"name":"ann","password":"not the right one"}"#
            expect(
                try served.operate(Call(method: "POST", target: "/psp/admin/sessions", body: body)), 2005, status: 401,
                field: "password")
            #expect(served.store.asked.entries.isEmpty)
            let counts = await served.admin.takeRefusals()
            #expect(counts.map(\.key) == [RefusalCount.Key(.operators, name: "ann", client: here, code: 2005)])
        }
    }

    @Test("callers who are refused are counted by what they claim to be, from where, and why")
    func callers() async throws {
        try await Served.with { served in
            let call = Call(method: "POST", target: "/psp/push/msg", body: "{}")
            for _ in 0..<2 { _ = try served.send(call.with("appkey", "nobody")) }
            _ = try served.send(call)
            let counts = await served.push.takeRefusals()
            #expect(counts.allSatisfy { $0.key.client == here && $0.key.listener == .callers })
            #expect(counts.first { $0.key.name == "nobody" }?.count == 2)
            #expect(counts.first { $0.key.name == nil }?.count == 1)
        }
    }

    @Test("an operator's forbidden attempt tells who wanted what, and is not counted as somebody unknown")
    func forbidden() async throws {
        try await Served.with { served in
            let viewer = try #require(Served.people.first { $0.role == .viewer && $0.scope == nil })
            for _ in 0..<3 {
                let call = Call.operate("DELETE", "/psp/admin/orgs/root", by: viewer.token).with("X-Request-Id", "r-1")
                expect(try served.operate(call), 2011, status: 403)
            }
            let call = OperatorCall(.named(viewer.identity, viewer.authority), client: here, requestID: "r-1")
            let entry = AuditEntry(call, .organisationRemove, AuditTarget(.organisation, "root"), code: 2011)
            #expect(served.store.asked.entries == [entry])
            #expect(served.told == [entry])
            #expect(await served.admin.takeRefusals().isEmpty)
            let cancel = Call.operate("POST", "/psp/admin/tasks/t-1/cancel", by: viewer.token)
            expect(try served.operate(cancel), 2011, status: 403)
            #expect(served.store.asked.entries.last?.action == .taskCancel && served.store.asked.entries.last?.task == "t-1")
        }
    }

    @Test("what found no room is told though nobody asks again")
    func leftOut() async throws {
        try await Served.with { served in
            let call = OperatorCall(.installation, client: here, requestID: "r")
            for number in 0..<AuditThrottle.mostOfMinute + 7 {
                await served.admin.record(AuditEntry(call, .deviceRead, AuditTarget(.device, "d\(number)")))
            }
            _ = await served.admin.takeRefusals()
            let entries = served.store.asked.entries
            // All of them within one minute, or in two.
            if entries.count == AuditThrottle.mostOfMinute + 1 { #expect(entries.last == .lost(7)) }
            #expect(entries.count >= AuditThrottle.mostOfMinute + 1)
        }
    }

    @Test("an import that says nothing has an entry too")
    func emptyImport() async throws {
        try await Served.with { served in
            for body in ["", "\n"] { expectSuccess(try served.operate(.admin("POST", "/psp/admin/import", body))) }
            #expect(served.store.asked.entries.map(\.action) == [.importRun, .importRun])
            #expect(served.told.map(\.action) == [.importRun, .importRun])
        }
    }

    @Test("the audit log is read by its filters; a value that is not allowed is 2103")
    func reading() async throws {
        var script = FakeStore.Script()
        let entry = AuditEntry(
            .named(OperatorIdentity(OperatorNumber(1), OperatorName(unchecked: "ann"))), scope: nil, client: here,
            requestID: "r-1", .taskExplain,
            AuditTarget(.device, "d"), task: "t-1", code: 2204)
        script.audit = Page(items: [AuditRecord(number: 7, time: noon, node: NodeName("n1"), entry: entry)], next: PageToken("7"))
        let key = RefusalCount.Key(.callers, name: "demo", client: nil, code: 2005)
        script.refusals = Page(items: [RefusalCount(key, minute: noon, count: 3)], next: nil)
        try await Served.with(script) { served in
            let query =
                "?caller=operator&operator=ann&address=127.0.0.1&node=n1&action=task.explain&target=d"
                + "&task=t-1&code=2204&from=1&to=2&limit=1"
            let reply = try served.operate(.admin("GET", "/psp/admin/audit" + query))
            #expect(
                reply.text
                    == #"{"ret":"SUCCESS","data":{"items":[{"id":7,"time":\#(noon),"node":"n1","caller":"operator","#
                    + #""operator":"ann","address":"127.0.0.1","request_id":"r-1","action":"task.explain","#
                    + #""target_type":"device","target":"d","task_id":"t-1","code":2204}],"next":"7"}}"#)
            var filter = AuditFilter()
            (filter.caller, filter.name, filter.client) = ("operator", OperatorName(unchecked: "ann"), here)
            (filter.action, filter.target, filter.task, filter.code) = (.taskExplain, "d", "t-1", 2204)
            (filter.node, filter.from, filter.to) = (NodeName("n1"), 1, 2)
            #expect(served.store.asked.auditFilters == [filter])
            let refusals = try served.operate(.admin("GET", "/psp/admin/audit/refusals?name=demo&code=2005"))
            #expect(
                refusals.text == #"{"ret":"SUCCESS","data":{"items":[{"minute":\#(noon),"listener":"callers","name":"demo","#
                    + #""code":2005,"count":3}]}}"#)
            for (name, value) in [
                ("caller", "me"), ("operator", "a%20b"), ("address", "here"), ("node", "a%20b"), ("action", "device.eat"),
                ("code", "x"),
            ] {
                expect(try served.operate(.admin("GET", "/psp/admin/audit?\(name)=\(value)")), 2103, status: 400, field: name)
            }
        }
    }
}
