internal import JSON
internal import Push

/// Any app's tasks: an operator can look at an order and recall a wrong one.
extension AdminFront {
    func task(_ request: Request) async throws -> Reply {
        _ = try request.parameters()
        let report = try await store.report(request.task, to: nil)
        return .success(capacity: 768 + report.payload.count) { $0.value(report, withApp: true) }
    }

    func recipients(_ request: Request) async throws -> Reply {
        try await Reply.recipients(of: request, to: nil, store: store)
    }

    func cancel(_ request: Request) async throws -> Reply {
        _ = try request.parameters()
        try await store.cancel(request.task, by: nil)
        return .cancelled(request.task)
    }
}
