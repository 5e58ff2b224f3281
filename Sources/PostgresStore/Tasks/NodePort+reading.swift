internal import Base
internal import Push
internal import StoreCore

// What became of tasks.

extension NodePort {
    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport {
        try await ask { node throws(StoreError) in try await node.report(task, to: app, within: scope) }
    }

    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        try await ask { node throws(StoreError) in
            try await node.recipients(of: task, to: app, within: scope, state: state, after: after, limit: limit)
        }
    }

    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        try await ask { node throws(StoreError) in try await node.tasks(filter, after: after, limit: limit) }
    }

    func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        try await ask { node throws(StoreError) in try await node.totals(app: app, tag: tag, from: from, to: to) }
    }
}
