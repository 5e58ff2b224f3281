internal import Base
internal import Push
internal import StoreCore

// Many changes of the directory at once.

extension LoopPort {
    func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) {
        try await importing { decisions, answer throws(SQLiteError) in
            try decisions.imports.keep(part, of: id)
            return { answer(.success(())) }
        }
    }

    func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        let deadline = MonotonicClock.nanoseconds + Int64(patience / .nanoseconds(1))
        let loop = loop
        return try await importing { decisions, answer throws(SQLiteError) in
            try decisions.run(id, last: part, ImportWaiter(loop: loop, deadline: deadline, answer: answer), by: call)
            return nil
        }
    }

    /// Has the writer decide something of an import, which others do not wait for longer than they must.
    private func importing<Value: Sendable>(
        _ decide:
            @escaping @Sendable (
                Decisions, _ answer: @escaping @Sendable (Result<Value, StoreError>) -> Void
            ) throws(SQLiteError) -> Answer?
    ) async throws(StoreError) -> Value {
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Result<Value, StoreError>>) in
            store.writer.submit(
                Job(
                    loop: loop, isImport: true,
                    decide: { decisions, _ throws(SQLiteError) in
                        try decide(decisions) { continuation.resume(returning: $0) }
                    },
                    fail: { error in { continuation.resume(returning: .failure(error)) } }))
        }
        return try outcome.get()
    }

    func abandon(_ id: ImportID) {
        store.writer.submit(
            Job(
                loop: loop, isImport: true,
                decide: { decisions, _ throws(SQLiteError) in
                    try decisions.imports.abandon(id)
                    return nil
                    // What is left of it goes at the next start.
                }, fail: { _ in nil }))
    }

    func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        let found = try await read(store.reports) { context throws(SQLiteError) in
            try context.database.reading { () throws(SQLiteError) -> ImportReport? in
                guard let number = try context.tables.imports.number(of: id, by: `operator`) else { return nil }
                return try context.tables.imports.report(number)
            }
        }
        guard let found else { throw .refused(Refusal(.noSuchTask, field: "import_id")) }
        return found
    }

    func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> {
        let before = after == nil ? Int64.max : try PageToken.number(after)
        let found = try await read(store.reports) { context throws(SQLiteError) in
            try context.tables.imports.page(before: before, limit: limit, by: `operator`)
        }
        return Page(items: found.map(\.report), next: next(found.last?.number, count: found.count, limit))
    }
}
