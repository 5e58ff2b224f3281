public import Web

/// The callers' interfaces: every address, its methods, what it asks of a caller, and who answers.
extension PushFront {
    /// Every address that is served.
    public static let routes = RouteTable<PushFront>(
        [
            Route(
                .post, "/psp/push/msg", access: .app(mayUse: .message), body: .json, kind: CallKind.message.rawValue,
                handler: .direct { $0.push($1, .message) }),
            Route(
                .post, "/psp/push/config", access: .app(mayUse: .configuration), body: .json,
                kind: CallKind.configuration.rawValue, handler: .direct { $0.push($1, .configuration) }),
            Route(.get, "/psp/push/task/{task_id}", access: .anyApp) { try await $0.task($1) },
            Route(.get, "/psp/push/task/{task_id}/devices", access: .anyApp, query: .list(required: ["state"])) {
                try await $0.recipients($1)
            },
            Route(.get, "/psp/push/tasks", access: .anyApp, query: .list("tag", "out_biz_no", "from", "to")) {
                try await $0.tasks($1)
            },
            Route(.post, "/psp/push/task/{task_id}/cancel", access: .anyApp, body: .json) { try await $0.cancel($1) },
            Route(.get, "/psp/push/stats", access: .anyApp, query: QueryRule(required: ["tag"], optional: ["from", "to"])) {
                try await $0.stats($1)
            },
        ] + openToAll(access: .anyone))
}
