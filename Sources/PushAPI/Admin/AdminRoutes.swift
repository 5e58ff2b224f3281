/// The operators' interface: every address, its methods, and who answers. All but the probes ask for the bearer token.
extension AdminFront {
    static let routes = RouteTable<AdminFront>([
        Route(.put, "/psp/admin/apps/{appkey}", body: .json) { try await $0.putApp($1) },
        Route(.get, "/psp/admin/apps/{appkey}") { try await $0.app($1) },
        Route(.delete, "/psp/admin/apps/{appkey}") { try await $0.removeApp($1) },
        Route(.get, "/psp/admin/apps", query: .list()) { try await $0.apps($1) },

        Route(.put, "/psp/admin/orgs/{org_id}", body: .json) { try await $0.putOrganisation($1) },
        Route(.get, "/psp/admin/orgs/{org_id}") { try await $0.organisation($1) },
        Route(.delete, "/psp/admin/orgs/{org_id}") { try await $0.removeOrganisation($1) },
        Route(.get, "/psp/admin/orgs", query: .list()) { try await $0.organisations($1) },

        Route(.put, "/psp/admin/devices/{device_token}", body: .json) { try await $0.putDevice($1) },
        Route(.get, "/psp/admin/devices/{device_token}") { try await $0.device($1) },
        Route(.delete, "/psp/admin/devices/{device_token}") { try await $0.removeDevice($1) },
        Route(.get, "/psp/admin/devices", query: .list("org_id", "user_id", "online")) { try await $0.devices($1) },

        Route(.get, "/psp/admin/tasks", query: .list("appkey", "org_id", "from", "to")) { try await $0.tasks($1) },
        Route(.get, "/psp/admin/tasks/{task_id}") { try await $0.task($1) },
        Route(.get, "/psp/admin/tasks/{task_id}/devices", query: .list(required: ["state"])) { try await $0.recipients($1) },
        Route(.post, "/psp/admin/tasks/{task_id}/cancel") { try await $0.cancel($1) },

        Route(.post, "/psp/admin/import", body: .lines) { try await $0.importLines($1) },

        Route(.get, "/healthz", access: .open) { try await $0.alive($1) },
        Route(.get, "/readyz", access: .open) { try await $0.ready($1) },
    ])
}
