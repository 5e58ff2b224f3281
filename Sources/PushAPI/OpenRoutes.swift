internal import Web

/// What every listener serves to everybody: what supervisors and load balancers ask, and the description for tools.
extension APIFront {
    /// The routes.
    /// - Parameter access: what lets everybody in.
    static func openToAll(access: Access) -> [Route<Self>] {
        [
            Route(.get, "/healthz", access: access, isVital: true) { try await $0.liveness($1) },
            Route(.get, "/readyz", access: access, isVital: true) { try await $0.readiness($1) },
            // What a balancer asks that was not told what to ask.
            Route(.get, "/", access: access, isVital: true) { try await $0.liveness($1) },
            Route(.get, "/psp/openapi.yaml", access: access) { try await $0.description($1) },
        ]
    }
}
