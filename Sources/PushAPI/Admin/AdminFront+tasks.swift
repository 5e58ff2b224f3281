internal import JSON
internal import Push
internal import Web

/// Any app's tasks: an operator can look at an order and recall a wrong one.
extension AdminFront {
    func task(_ request: Request<AdminFront>) async throws -> Reply {
        _ = try request.query()
        let report = try await store.report(request.task, to: nil, within: try scope(of: request))
        return .success(capacity: 768 + report.payload.count) { $0.value(report, withApp: true) }
    }

    func recipients(_ request: Request<AdminFront>) async throws -> Reply {
        try await Reply.recipients(of: request, to: nil, within: try scope(of: request), store: store)
    }

    /// `GET …/explain?device=T`: why this device has or has not this task.
    func explain(_ request: Request<AdminFront>) async throws -> Reply {
        guard let token: DeviceToken = try request.query().identifier("device") else {
            throw Rejection.missingParameter("device")
        }
        let explanation = try await store.explain(
            request.task, to: token, within: try scope(of: request), patience: Self.patienceWithLoop)
        return .success(capacity: 512) { $0.value(explanation) }
    }

    func cancel(_ request: Request<AdminFront>) async throws -> Reply {
        try request.refuseContent()
        return .cancelled(request.task, try await store.cancel(request.task, by: try operatorCall(of: request)))
    }
}
