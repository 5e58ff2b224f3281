import Push
import TestKit
import Testing

@testable import PushAPI
@testable import Web

/// Every route for every kind of caller. A route that is not in the table fails, so that none is forgotten.
@Suite("What each role may call")
struct RoleTests {
    /// By method and address, what it takes.
    private static let table: [String: AdminFront.Access] = [
        "PUT /psp/admin/apps/{appkey}": .unscoped(.administrator),
        "GET /psp/admin/apps/{appkey}": .unscoped(.viewer),
        "DELETE /psp/admin/apps/{appkey}": .unscoped(.administrator),
        "POST /psp/admin/apps/{appkey}/rotate": .unscoped(.administrator),
        "DELETE /psp/admin/apps/{appkey}/former-secret": .unscoped(.administrator),
        "GET /psp/admin/apps": .unscoped(.viewer),
        "PUT /psp/admin/orgs/{org_id}": .scoped(.administrator),
        "GET /psp/admin/orgs/{org_id}": .scoped(.viewer),
        "DELETE /psp/admin/orgs/{org_id}": .scoped(.administrator),
        "GET /psp/admin/orgs": .scoped(.viewer),
        "PUT /psp/admin/devices/{device_token}": .scoped(.administrator),
        "GET /psp/admin/devices/{device_token}": .scoped(.viewer),
        "DELETE /psp/admin/devices/{device_token}": .scoped(.administrator),
        "POST /psp/admin/devices/{device_token}/disconnect": .scoped(.sender),
        "GET /psp/admin/devices": .scoped(.viewer),
        "GET /psp/admin/tasks": .scoped(.viewer),
        "GET /psp/admin/tasks/{task_id}": .scoped(.viewer),
        "GET /psp/admin/tasks/{task_id}/devices": .scoped(.viewer),
        "GET /psp/admin/tasks/{task_id}/explain": .scoped(.viewer),
        "POST /psp/admin/tasks/{task_id}/cancel": .scoped(.sender),
        "POST /psp/admin/push": .scoped(.sender),
        "GET /psp/admin/nodes": .unscoped(.viewer),
        "GET /psp/admin/status": .unscoped(.viewer),
        "GET /metrics": .anyone,
        "GET /psp/admin/log-level": .unscoped(.viewer),
        "PUT /psp/admin/log-level": .unscoped(.administrator),
        "POST /psp/admin/trace": .unscoped(.administrator),
        "GET /psp/admin/trace": .unscoped(.viewer),
        "DELETE /psp/admin/trace/{trace_id}": .unscoped(.administrator),
        "GET /psp/admin/trace/{trace_id}/events": .unscoped(.viewer),
        "GET /psp/admin/audit": .scoped(.viewer),
        "GET /psp/admin/audit/refusals": .unscoped(.viewer),
        "GET /psp/admin/clock": .unscoped(.viewer),
        "POST /psp/admin/clock/accept": .unscoped(.administrator),
        "POST /psp/admin/import": .scoped(.administrator),
        "GET /psp/admin/imports/{import_id}": .scoped(.viewer),
        "GET /psp/admin/imports": .scoped(.viewer),
        "POST /psp/admin/sessions": .anyone,
        "GET /psp/admin/session": .scoped(.viewer),
        "DELETE /psp/admin/session": .scoped(.viewer),
        "PUT /psp/admin/session/password": .scoped(.viewer),
        "PUT /psp/admin/operators/{name}": .unscoped(.administrator),
        "GET /psp/admin/operators/{name}": .unscoped(.administrator),
        "DELETE /psp/admin/operators/{name}": .unscoped(.administrator),
        "GET /psp/admin/operators": .unscoped(.administrator),
        "GET /psp/admin/operators/{name}/sessions": .unscoped(.administrator),
        "DELETE /psp/admin/operators/{name}/sessions": .unscoped(.administrator),
        "DELETE /psp/admin/operators/{name}/sessions/{session_id}": .unscoped(.administrator),
        "GET /healthz": .anyone,
        "GET /readyz": .anyone,
        "GET /": .anyone,
        "GET /psp/openapi.yaml": .anyone,
    ]

    private static func name(_ route: Route<AdminFront>) -> String { "\(route.method.name) \(route.pattern.text)" }

    @Test("each route states what it takes")
    func declared() {
        let routes = AdminFront.routes.routes
        #expect(Set(routes.map(Self.name)) == Set(Self.table.keys))
        for route in routes { #expect(Self.table[Self.name(route)] == route.access, "\(Self.name(route))") }
    }

    @Test("who shows no session, or one that has ended, is 401; whose role or scope does not do is 403; others come through")
    func everybody() async throws {
        try await Served.with { served in
            await served.tell(.operatorSession(OperatorSessionKey(token: "over"), Served.people[0].session(expires: 0)))
            for route in AdminFront.routes.routes {
                let path = route.pattern.text.split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }.joined(separator: "/")
                let takesBody = (route.method == .put || route.method == .post) && route.body != .none
                func reply(_ token: String?) throws -> HTTPReply {
                    let call = Call(method: route.method.name, target: "/" + path, body: takesBody ? "{}" : "")
                    return try served.operate(token.map { call.with("Authorization", "Bearer \($0)") } ?? call)
                }
                for token in [nil, "wrong", "over"] {
                    let status = try reply(token).status
                    #expect((status == 401) == (route.access != .anyone), "\(Self.name(route)): \(status)")
                }
                for person in Served.people {
                    let reply = try reply(person.token)
                    let isAllowed =
                        switch route.access {
                        case .anyone: true
                        case .scoped(let role): person.role >= role
                        case .unscoped(let role): person.role >= role && person.scope == nil
                        }
                    #expect((reply.code == 2011) == !isAllowed, "\(Self.name(route)) by \(person.name): \(reply.text)")
                    #expect((reply.status == 403) == !isAllowed)
                    guard let action = route.audited, !isAllowed else { continue }
                    #expect(
                        served.store.asked.entries.contains {
                            $0.caller == .named(person.identity) && $0.action == action && $0.code == 2011
                        }, "\(Self.name(route)) by \(person.name)")
                }
                let isOfSessions = route.pattern.text == "/psp/admin/session" && route.method == .delete
                #expect((try reply(Served.adminToken).status == 403) == isOfSessions)
            }
        }
    }

    @Test("what an operator looks at is looked at within the scope, and what it changes is changed on its behalf")
    func scopes() async throws {
        try await Served.with { served in
            let looks = [
                "orgs", "orgs/x", "devices", "devices/x", "tasks", "tasks/x", "tasks/x/devices?state=pending",
                "tasks/x/explain?device=d",
            ]
            for person in Served.people {
                let before = served.store.asked.scopes.count
                for look in looks { _ = try served.operate(.operate("GET", "/psp/admin/\(look)", by: person.token)) }
                #expect(Array(served.store.asked.scopes[before...]) == looks.map { _ in person.scope })
                for look in ["imports", "imports/x"] {
                    _ = try served.operate(.operate("GET", "/psp/admin/\(look)", by: person.token))
                    #expect(served.store.asked.beginners.last == .some(person.scope == nil ? nil : person.number))
                }
            }
            let changes = [
                ("PUT", "orgs/x", #"{"name":"X"}"#), ("DELETE", "orgs/x", ""), ("PUT", "devices/x", "{}"),
                ("DELETE", "devices/x", ""),
                ("POST", "devices/x/disconnect", ""), ("POST", "tasks/x/cancel", ""), ("POST", "import", "{}"),
            ]
            for person in Served.people where person.role == .administrator {
                let before = served.store.asked.calls.count
                for (method, target, body) in changes {
                    let call = Call.operate(method, "/psp/admin/\(target)", body, by: person.token).with("X-Request-Id", "r-1")
                    #expect(try served.operate(call).status < 300)
                }
                let calls = served.store.asked.calls[before...]
                #expect(calls.count == changes.count)
                for call in calls {
                    #expect(call.caller == .named(person.identity, person.authority))
                    #expect(call.client?.description == "127.0.0.1" && call.requestID == "r-1")
                }
            }
            _ = try served.operate(.admin("DELETE", "/psp/admin/orgs/x"))
            #expect(served.store.asked.calls.last?.caller == .installation)
        }
    }
}
