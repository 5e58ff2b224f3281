internal import Push
internal import StoreCore

// What callers push, and ask of what they pushed.

extension LoopPort {
    func append(_ request: PushRequest, answer: @escaping @Sendable (Accepted) -> Void) {
        store.writer.submit(
            Job(
                loop: loop, isPatienceBounded: true,
                decide: { decisions, now throws(SQLiteError) in
                    let accepted = try decisions.pushes.append(request, at: now)
                    return { answer(accepted) }
                },
                fail: { error in { answer(Accepted(error)) } }))
    }

    func append(_ request: PushRequest, by call: OperatorCall) async -> Accepted {
        do {
            return try await ask(.change, isPatienceBounded: true) { decisions, now throws(SQLiteError) in
                try decisions.push(request, by: call, at: now)
            }
        } catch {
            return Accepted(error)
        }
    }

    func preview(_ request: PushRequest, by call: OperatorCall) async throws(StoreError) -> PushPreview {
        try await change(.read, isPatienceBounded: true) { decisions, now throws(SQLiteError) in
            try decisions.pushes.preview(request, by: call, at: now)
        }
    }

    func cancel(_ task: TaskID, by app: AppKey, nonce: UsedNonce?) async throws(StoreError) -> TaskStatus {
        try await change(confirmed: true) { decisions, now throws(SQLiteError) in
            if case .failure(let refusal) = try decisions.use(nonce, of: app, at: now) { return .failure(refusal) }
            return try decisions.tasks.cancel(task, by: app, at: now)
        }
    }

    func cancel(_ task: TaskID, by call: OperatorCall) async throws(StoreError) -> TaskStatus {
        try await change(confirmed: true) { decisions, now throws(SQLiteError) in
            try decisions.cancel(task, by: call, at: now)
        }
    }

    /// Everything that was told before is in the file when it returns.
    func settleFacts() async throws(StoreError) {
        try await ask(flushes: true) { _, _ throws(SQLiteError) in }
    }

    func report(_ task: TaskID, to app: AppKey?, within scope: OrgID?) async throws(StoreError) -> TaskReport {
        try await settleFacts()
        let view = store.organisations.view(of: scope)
        let report = try await read(store.reports) { context throws(SQLiteError) in
            try context.database.reading { () throws(SQLiteError) -> TaskReport? in
                let reader = ReportReader(context: context, now: context.clock())
                guard let row = try reader.row(of: task, to: app, within: view) else { return nil }
                return try reader.report(row, isOfOperator: app == nil)
            }
        }
        guard let report else { throw .refused(Refusal(.noSuchTask, field: "task_id")) }
        return report
    }

    func recipients(
        of task: TaskID, to app: AppKey?, within scope: OrgID?, state: RecipientState, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<Recipient> {
        try await settleFacts()
        let view = store.organisations.view(of: scope)
        let page = try await read(store.reports) { context throws(SQLiteError) in
            try context.database.reading { () throws(SQLiteError) -> Result<Page<Recipient>, Refusal> in
                let now = context.clock()
                guard let row = try ReportReader(context: context, now: now).row(of: task, to: app, within: view) else {
                    return .failure(Refusal(.noSuchTask, field: "task_id"))
                }
                let recipients = RecipientReader(context: context, now: now, scope: view)
                let page = try recipients.page(of: row, state: state, after: after, limit: limit)
                return page.map { .success($0) }
                    ?? .failure(Refusal(.invalidValue, field: "after", .expected(.pageToken, after.map { Excerpt($0.text) })))
            }
        }
        return try page.mapError { StoreError.refused($0) }.get()
    }

    func tasks(_ filter: TaskFilter, after: PageToken?, limit: Int) async throws(StoreError) -> Page<TaskReport> {
        try await settleFacts()
        let before: UInt64
        if let after {
            guard let position = UInt64(after.text), position <= UInt64(Int64.max) else {
                throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(after.text))))
            }
            before = position
        } else {
            before = UInt64(Int64.max)
        }
        let scope = store.organisations.view(of: filter.scope)
        return try await read(store.reports) { context throws(SQLiteError) in
            try context.reading { view throws(SQLiteError) -> Page<TaskReport> in
                let reports = ReportReader(context: context, now: context.clock())
                return try TaskListReader(reports: reports, view: view, scope: scope).page(filter, before: before, limit: limit)
            }
        }
    }
}
