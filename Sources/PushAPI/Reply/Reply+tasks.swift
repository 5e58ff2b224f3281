internal import JSON
internal import Push
internal import Web

/// What callers and operators ask of a task alike; they differ in whose tasks they see.
extension Reply {
    /// A page of a task's devices in one state.
    /// - Parameters:
    ///   - app: whose task it must be; `nil` for an operator.
    ///   - scope: to which an operator is confined.
    static func recipients<Service: APIFront>(
        of request: Request<Service>, to app: AppKey?, within scope: OrgID?, store: any StorePort
    ) async throws -> Reply {
        let query = try request.query()
        let name = try query.required("state")
        guard let state = RecipientState(rawValue: name) else {
            let states = RecipientState.allCases.map(\.rawValue)
            throw Refusal(.invalidValue, field: "state", .expected(.oneOf(states), Excerpt(name)))
        }
        let limit = try query.limit()
        let page = try await store.recipients(
            of: request.task, to: app, within: scope, state: state, after: query.after, limit: limit)
        return .page(page) { $0.value($1) }
    }

    /// Nothing more of the task is handed to a connection; where it stands, which is its own end where it had ended.
    static func cancelled(_ task: TaskID, _ status: TaskStatus) -> Reply {
        .success(202) { json in
            json.object { json in
                json.member("task_id", task.text)
                json.member("status", status.rawValue)
            }
        }
    }
}
