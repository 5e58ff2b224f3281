internal import JSON
internal import Web

/// `GET /psp/admin/status`: how the server fares, at one look.
extension AdminFront {
    func status(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let status = await readStatus()
        return .success(capacity: 2_048) { json in
            json.object { json in
                let cause = unreadiness
                json.member("state", cause?.name ?? "ready")
                json.member("detail", ifPresent: cause?.detail)
                json.members(of: status, operators: server.connectionCount)
            }
        }
    }
}
