/// The callers' interfaces: every address, its methods, and who answers.
extension PushFront {
    static let routes = RouteTable<PushFront>([
        Route(.post, "/psp/push/msg", body: .json, handler: .direct { $0.push($1, .message) }),
        Route(.post, "/psp/push/config", body: .json, handler: .direct { $0.push($1, .configuration) }),
        Route(.get, "/psp/push/task/{task_id}") { try await $0.task($1) },
        Route(.get, "/psp/push/task/{task_id}/devices", query: .list(required: ["state"])) { try await $0.recipients($1) },
        Route(.post, "/psp/push/task/{task_id}/cancel") { try await $0.cancel($1) },
        Route(.get, "/psp/push/stats", query: QueryRule(required: ["tag"], optional: ["from", "to"])) { try await $0.stats($1) },
    ])
}
