internal import JSON
internal import Push
internal import Web

/// Any app's tasks: an operator can look at an order and recall a wrong one.
extension AdminFront {
    func task(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let report = try await store.report(request.task, to: nil)
        return .success(capacity: 768 + report.payload.count) { $0.value(report, withApp: true) }
    }

    func recipients(_ request: Request<AdminFront>) async throws -> Reply {
        try await Reply.recipients(of: request, to: nil, store: store)
    }

    func cancel(_ request: Request<AdminFront>) async throws -> Reply {
        try request.refuseContent()
        return .cancelled(request.task, try await store.cancel(request.task, by: nil))
    }
}
