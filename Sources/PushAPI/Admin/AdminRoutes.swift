public import Web

/// The operators' interface: every address, its methods, what it asks of a caller, and who answers.
extension AdminFront {
    /// Every address that is served.
    public static let routes = RouteTable<AdminFront>(
        [
            Route(.put, "/psp/admin/apps/{appkey}", access: .unscoped(.administrator), body: .json) { try await $0.putApp($1) },
            Route(.get, "/psp/admin/apps/{appkey}", access: .unscoped(.viewer)) { try await $0.app($1) },
            Route(.delete, "/psp/admin/apps/{appkey}", access: .unscoped(.administrator)) { try await $0.removeApp($1) },
            Route(.post, "/psp/admin/apps/{appkey}/rotate", access: .unscoped(.administrator), body: .json) {
                try await $0.rotateSecret($1)
            },
            Route(.delete, "/psp/admin/apps/{appkey}/former-secret", access: .unscoped(.administrator)) {
                try await $0.dropFormerSecret($1)
            },
            Route(.get, "/psp/admin/apps", access: .unscoped(.viewer), query: .list()) { try await $0.apps($1) },

            Route(.put, "/psp/admin/orgs/{org_id}", access: .scoped(.administrator), body: .json) {
                try await $0.putOrganisation($1)
            },
            Route(.get, "/psp/admin/orgs/{org_id}", access: .scoped(.viewer)) { try await $0.organisation($1) },
            Route(.delete, "/psp/admin/orgs/{org_id}", access: .scoped(.administrator)) { try await $0.removeOrganisation($1) },
            Route(.get, "/psp/admin/orgs", access: .scoped(.viewer), query: .list()) { try await $0.organisations($1) },

            Route(.put, "/psp/admin/devices/{device_token}", access: .scoped(.administrator), body: .json) {
                try await $0.putDevice($1)
            },
            Route(.get, "/psp/admin/devices/{device_token}", access: .scoped(.viewer)) { try await $0.device($1) },
            Route(.delete, "/psp/admin/devices/{device_token}", access: .scoped(.administrator)) {
                try await $0.removeDevice($1)
            },
            Route(.post, "/psp/admin/devices/{device_token}/disconnect", access: .scoped(.sender), body: .json) {
                try await $0.disconnect($1)
            },
            Route(.get, "/psp/admin/devices", access: .scoped(.viewer), query: .list("org_id", "user_id", "online")) {
                try await $0.devices($1)
            },

            Route(
                .get, "/psp/admin/tasks", access: .scoped(.viewer),
                query: .list("appkey", "org_id", "tag", "out_biz_no", "from", "to")
            ) {
                try await $0.tasks($1)
            },
            Route(.get, "/psp/admin/tasks/{task_id}", access: .scoped(.viewer)) { try await $0.task($1) },
            Route(.get, "/psp/admin/tasks/{task_id}/devices", access: .scoped(.viewer), query: .list(required: ["state"])) {
                try await $0.recipients($1)
            },
            Route(
                .get, "/psp/admin/tasks/{task_id}/explain", access: .scoped(.viewer),
                query: QueryRule(required: ["device"], optional: [])
            ) {
                try await $0.explain($1)
            },
            Route(.post, "/psp/admin/tasks/{task_id}/cancel", access: .scoped(.sender), body: .json) { try await $0.cancel($1) },

            Route(
                .post, "/psp/admin/push", access: .scoped(.sender),
                query: QueryRule(required: ["appkey", "interface"], optional: ["dry_run"]), body: .json
            ) {
                try await $0.push($1)
            },

            Route(.get, "/psp/admin/status", access: .unscoped(.viewer)) { try await $0.status($1) },
            Route(.get, "/psp/admin/nodes", access: .unscoped(.viewer)) { try await $0.nodes($1) },
            Route(.get, "/metrics", access: .anyone) { try await $0.metrics($1) },

            Route(.get, "/psp/admin/log-level", access: .unscoped(.viewer)) { try await $0.logLevel($1) },
            Route(.put, "/psp/admin/log-level", access: .unscoped(.administrator), body: .json) { try await $0.setLogLevel($1) },

            Route(.post, "/psp/admin/trace", access: .unscoped(.administrator), body: .json) { try await $0.beginTrace($1) },
            Route(.get, "/psp/admin/trace", access: .unscoped(.viewer)) { try await $0.traces($1) },
            Route(.delete, "/psp/admin/trace/{trace_id}", access: .unscoped(.administrator)) { try await $0.endTrace($1) },
            Route(
                .get, "/psp/admin/trace/{trace_id}/events", access: .unscoped(.viewer), handler: .direct { $0.followTrace($1) }),

            Route(
                .get, "/psp/admin/audit", access: .scoped(.viewer),
                query: .list("caller", "operator", "address", "node", "action", "target", "task", "code", "from", "to")
            ) {
                try await $0.audit($1)
            },
            Route(
                .get, "/psp/admin/audit/refusals", access: .unscoped(.viewer),
                query: .list("name", "address", "code", "from", "to")
            ) {
                try await $0.refusalCounts($1)
            },

            Route(.get, "/psp/admin/clock", access: .unscoped(.viewer)) { try await $0.clock($1) },
            Route(.post, "/psp/admin/clock/accept", access: .unscoped(.administrator)) { try await $0.acceptClock($1) },

            Route(.post, "/psp/admin/import", access: .scoped(.administrator), body: .lines) { try await $0.importLines($1) },
            Route(.get, "/psp/admin/imports/{import_id}", access: .scoped(.viewer)) { try await $0.importReport($1) },
            Route(.get, "/psp/admin/imports", access: .scoped(.viewer), query: .list()) { try await $0.imports($1) },
        ] + operatorRoutes + openToAll(access: .anyone))

    /// Operators themselves.
    private static var operatorRoutes: [Route<AdminFront>] {
        let all = Access.unscoped(.administrator)
        return [
            Route(.post, "/psp/admin/sessions", access: .anyone, body: .json) { try await $0.logIn($1) },
            Route(.get, "/psp/admin/session", access: .scoped(.viewer)) { try await $0.session($1) },
            Route(.delete, "/psp/admin/session", access: .scoped(.viewer)) { try await $0.logOut($1) },
            Route(.put, "/psp/admin/session/password", access: .scoped(.viewer), body: .json) {
                try await $0.setOwnPassword($1)
            },

            Route(.put, "/psp/admin/operators/{name}", access: all, body: .json) { try await $0.putOperator($1) },
            Route(.get, "/psp/admin/operators/{name}", access: all) { try await $0.showOperator($1) },
            Route(.delete, "/psp/admin/operators/{name}", access: all) { try await $0.removeOperator($1) },
            Route(.get, "/psp/admin/operators", access: all, query: .list()) { try await $0.listOperators($1) },
            Route(.get, "/psp/admin/operators/{name}/sessions", access: all) { try await $0.listSessions($1) },
            Route(.delete, "/psp/admin/operators/{name}/sessions", access: all) { try await $0.endSessions($1) },
            Route(.delete, "/psp/admin/operators/{name}/sessions/{session_id}", access: all) { try await $0.endSession($1) },
        ]
    }
}
