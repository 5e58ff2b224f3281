internal import JSON
internal import Push
internal import Web

/// What supervisors and load balancers ask.
extension APIFront {
    /// The routes of the probes.
    /// - Parameter access: what lets everybody in.
    static func probes(access: Access) -> [Route<Self>] {
        [
            Route(.get, "/healthz", access: access) { try await $0.liveness($1) },
            Route(.get, "/readyz", access: access) { try await $0.readiness($1) },
        ]
    }

    /// `GET /healthz`: the loop turns.
    private func liveness(_ request: Request<Self>) async throws -> Reply {
        _ = try request.query()
        return .success { json in json.object { $0.member("status", "alive") } }
    }

    /// `GET /readyz`: pushes are taken. It fails while the disk is full, which heals; after a failed write, until a restart; and
    /// from the begin of a shutdown, so that a balancer turns away.
    private func readiness(_ request: Request<Self>) async throws -> Reply {
        _ = try request.query()
        guard !server.isShuttingDown, store.health == .serving else { throw StoreError.unavailable(retryAfter: .seconds(1)) }
        return .success { json in json.object { $0.member("status", "ready") } }
    }
}
