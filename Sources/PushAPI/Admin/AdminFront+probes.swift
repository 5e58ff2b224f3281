internal import JSON
internal import Push

/// What supervisors ask; no token.
extension AdminFront {
    /// `GET /healthz`: the loop turns.
    func alive(_ request: Request) async throws -> Reply {
        _ = try request.parameters()
        return .success { json in json.object { $0.member("status", "alive") } }
    }

    /// `GET /readyz`: pushes are taken. It fails while the disk is full, which heals; after a failed write, until a restart; and
    /// from the begin of a shutdown, so that a balancer turns away.
    func ready(_ request: Request) async throws -> Reply {
        _ = try request.parameters()
        guard !desk.isClosing, store.health == .serving else { throw StoreError.unavailable(retryAfter: .seconds(1)) }
        return .success { json in json.object { $0.member("status", "ready") } }
    }
}
