internal import Base
internal import JSON
internal import Push
internal import Web

/// What became of an app's own pushes. A disabled app is refused here too (2007); which interfaces it may use (2008) is asked of
/// pushes only: looking at a task is none of the two.
extension PushFront {
    /// `GET /psp/push/task/{task_id}`
    func task(_ request: Request<PushFront>) async throws -> Reply {
        let app = try await app(calling: request)
        _ = try request.query()
        let report = try await store.report(request.task, to: app)
        return .success(capacity: 768 + report.payload.count) { $0.value(report, withApp: false) }
    }

    /// `GET /psp/push/task/{task_id}/devices`
    func recipients(_ request: Request<PushFront>) async throws -> Reply {
        let app = try await app(calling: request)
        try await turn(of: app)
        defer { turns.end(of: app) }
        return try await Reply.recipients(of: request, to: app, within: nil, store: store)
    }

    /// `POST /psp/push/task/{task_id}/cancel`
    func cancel(_ request: Request<PushFront>) async throws -> Reply {
        let app = try await app(calling: request)
        try request.refuseContent()
        let nonce = authentication.nonce(of: request.headers.credentials)
        return .cancelled(request.task, try await store.cancel(request.task, by: app, nonce: nonce))
    }

    /// `GET /psp/push/tasks`: an app's own, newest first.
    func tasks(_ request: Request<PushFront>) async throws -> Reply {
        let app = try await app(calling: request)
        let query = try request.query()
        let filter = TaskFilter(
            caller: app, tag: query.exactText("tag"), outBizNo: query.exactText("out_biz_no"), from: try query.number("from"),
            to: try query.number("to"))
        let limit = try query.limit()
        try await turn(of: app)
        defer { turns.end(of: app) }
        return .page(try await store.tasks(filter, after: query.after, limit: limit)) { $0.value($1, withApp: false) }
    }

    /// `GET /psp/push/stats`
    func stats(_ request: Request<PushFront>) async throws -> Reply {
        let app = try await app(calling: request)
        let query = try request.query()
        let from = try query.number("from")
        let to = try query.number("to")
        let totals = try await store.totals(app: app, tag: ExactText(try query.required("tag")), from: from, to: to)
        return .success { json in
            json.object { json in
                json.member("tasks", totals.tasks)
                json.members(of: totals.counts)
            }
        }
    }
}
