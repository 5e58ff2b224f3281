internal import JSON
internal import Push
internal import Web

/// How the server fares.
extension AdminFront {
    /// `GET /psp/admin/status`: at one look.
    func status(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let status = await process.status()
        return .success(capacity: 2_048) { json in
            json.object { json in
                let cause = unreadiness
                json.member("state", cause?.name ?? "ready")
                let language = request.headers.language
                json.member("detail", ifPresent: cause?.detail?.text(in: language))
                json.member("remedy", ifPresent: cause?.remedy?.text(in: language))
                json.members(of: status, operators: server.connectionCount, in: language)
            }
        }
    }

    /// `GET /metrics`: everything that is measured, for Prometheus.
    func metrics(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let own = OperatorFigures(
            connections: server.connectionCount, requests: server.figures, isReady: unreadiness == nil)
        return Reply(status: 200, contentType: Self.prometheusText, body: await process.metrics(own))
    }

    private static let prometheusText = ContentType("text/plain; version=0.0.4; charset=utf-8")
}
