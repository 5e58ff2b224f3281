public import Web

/// The operators' interface: every address, its methods, what it asks of a caller, and who answers.
extension AdminFront {
    /// Every address that is served.
    public static let routes = RouteTable<AdminFront>(
        [
            Route(.put, "/psp/admin/apps/{appkey}", access: .operator, body: .json) { try await $0.putApp($1) },
            Route(.get, "/psp/admin/apps/{appkey}", access: .operator) { try await $0.app($1) },
            Route(.delete, "/psp/admin/apps/{appkey}", access: .operator) { try await $0.removeApp($1) },
            Route(.post, "/psp/admin/apps/{appkey}/rotate", access: .operator, body: .json) { try await $0.rotateSecret($1) },
            Route(.delete, "/psp/admin/apps/{appkey}/former-secret", access: .operator) { try await $0.dropFormerSecret($1) },
            Route(.get, "/psp/admin/apps", access: .operator, query: .list()) { try await $0.apps($1) },

            Route(.put, "/psp/admin/orgs/{org_id}", access: .operator, body: .json) { try await $0.putOrganisation($1) },
            Route(.get, "/psp/admin/orgs/{org_id}", access: .operator) { try await $0.organisation($1) },
            Route(.delete, "/psp/admin/orgs/{org_id}", access: .operator) { try await $0.removeOrganisation($1) },
            Route(.get, "/psp/admin/orgs", access: .operator, query: .list()) { try await $0.organisations($1) },

            Route(.put, "/psp/admin/devices/{device_token}", access: .operator, body: .json) { try await $0.putDevice($1) },
            Route(.get, "/psp/admin/devices/{device_token}", access: .operator) { try await $0.device($1) },
            Route(.delete, "/psp/admin/devices/{device_token}", access: .operator) { try await $0.removeDevice($1) },
            Route(.post, "/psp/admin/devices/{device_token}/disconnect", access: .operator, body: .json) {
                try await $0.disconnect($1)
            },
            Route(.get, "/psp/admin/devices", access: .operator, query: .list("org_id", "user_id", "online")) {
                try await $0.devices($1)
            },

            Route(
                .get, "/psp/admin/tasks", access: .operator, query: .list("appkey", "org_id", "tag", "out_biz_no", "from", "to")
            ) {
                try await $0.tasks($1)
            },
            Route(.get, "/psp/admin/tasks/{task_id}", access: .operator) { try await $0.task($1) },
            Route(.get, "/psp/admin/tasks/{task_id}/devices", access: .operator, query: .list(required: ["state"])) {
                try await $0.recipients($1)
            },
            Route(
                .get, "/psp/admin/tasks/{task_id}/explain", access: .operator,
                query: QueryRule(required: ["device"], optional: [])
            ) {
                try await $0.explain($1)
            },
            Route(.post, "/psp/admin/tasks/{task_id}/cancel", access: .operator, body: .json) { try await $0.cancel($1) },

            Route(.get, "/psp/admin/status", access: .operator) { try await $0.status($1) },
            Route(.get, "/metrics", access: .anyone) { try await $0.metrics($1) },

            Route(.get, "/psp/admin/log-level", access: .operator) { try await $0.logLevel($1) },
            Route(.put, "/psp/admin/log-level", access: .operator, body: .json) { try await $0.setLogLevel($1) },

            Route(.post, "/psp/admin/trace", access: .operator, body: .json) { try await $0.beginTrace($1) },
            Route(.get, "/psp/admin/trace", access: .operator) { try await $0.traces($1) },
            Route(.delete, "/psp/admin/trace/{trace_id}", access: .operator) { try await $0.endTrace($1) },
            Route(.get, "/psp/admin/trace/{trace_id}/events", access: .operator, handler: .direct { $0.followTrace($1) }),

            Route(
                .get, "/psp/admin/audit", access: .operator,
                query: .list("caller", "operator", "address", "action", "target", "task", "code", "from", "to")
            ) {
                try await $0.audit($1)
            },
            Route(
                .get, "/psp/admin/audit/refusals", access: .operator, query: .list("name", "address", "code", "from", "to")
            ) {
                try await $0.refusalCounts($1)
            },

            Route(.get, "/psp/admin/clock", access: .operator) { try await $0.clock($1) },
            Route(.post, "/psp/admin/clock/accept", access: .operator) { try await $0.acceptClock($1) },

            Route(.post, "/psp/admin/import", access: .operator, body: .lines) { try await $0.importLines($1) },
            Route(.get, "/psp/admin/imports/{import_id}", access: .operator) { try await $0.importReport($1) },
            Route(.get, "/psp/admin/imports", access: .operator, query: .list()) { try await $0.imports($1) },
        ] + openToAll(access: .anyone))
}
