internal import JSON
internal import Push

/// What became of an app's own pushes. A disabled app is refused here too (2007); which interfaces it may use (2008) is asked of pushes
/// only: looking at a task is none of the two.
extension PushFront {
    /// `GET /psp/push/task/{task_id}`
    func task(_ request: Request) async throws -> Reply {
        let app = try await authenticate(request, for: nil)
        _ = try request.parameters()
        let report = try await store.report(request.task, to: app)
        return .success(capacity: 768 + report.payload.count) { $0.value(report, withApp: false) }
    }

    /// `GET /psp/push/task/{task_id}/devices`
    func recipients(_ request: Request) async throws -> Reply {
        let app = try await authenticate(request, for: nil)
        return try await Reply.recipients(of: request, to: app, store: store)
    }

    /// `POST /psp/push/task/{task_id}/cancel`
    func cancel(_ request: Request) async throws -> Reply {
        let app = try await authenticate(request, for: nil)
        _ = try request.parameters()
        try await store.cancel(request.task, by: app)
        return .cancelled(request.task)
    }

    /// `GET /psp/push/stats`
    func stats(_ request: Request) async throws -> Reply {
        let app = try await authenticate(request, for: nil)
        let query = try request.parameters()
        let from = try query.milliseconds("from")
        let to = try query.milliseconds("to")
        let totals = try await store.totals(app: app, tag: try query.required("tag"), from: from, to: to)
        return .success { json in
            json.object { json in
                json.member("tasks", totals.tasks)
                json.members(of: totals.counts)
            }
        }
    }
}
