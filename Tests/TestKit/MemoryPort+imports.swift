public import Push

extension MemoryPort {
    /// Keeps it in memory.
    public func keep(_ part: ImportPart, of id: ImportID) async throws(StoreError) {
        try await attempt { state in
            state.imports[id, default: []].append(part)
            return (.success(()), [])
        }
    }

    /// Applies every line, by one commit each.
    public func run(
        _ id: ImportID, last part: ImportPart, patience: Duration, by call: OperatorCall
    ) async throws(StoreError) -> ImportReport {
        try await keep(part, of: id)
        record(AuditEntry(call, .importRun, AuditTarget(.import, id.text)))
        let parts = store.state.withLock { $0.imports.removeValue(forKey: id) } ?? []
        var tally = ImportTally()
        var failures: [LineFailure] = []
        for part in parts {
            var lines = ImportLines(part)
            while let line = lines.next() {
                let result = await apply(line)
                if case .failure(let refusal) = result, failures.count < ImportReport.toldFailures {
                    failures.append(LineFailure(line: line.number, refusal))
                }
                tally.count(result)
            }
        }
        let (count, now) = (parts.reduce(0) { $0 + $1.count }, store.state.withLock { $0.behaviour.now })
        let report = ImportReport(
            id: id, state: .done, lines: count, tally: tally, startedAt: now, endedAt: now, timeLeft: nil, failures: failures)
        if patience <= .zero { store.state.withLock { $0.imported.insert(report, at: 0) } }
        return report
    }

    private func apply(_ line: ImportLines.Line) async -> Result<ChangeResult, Refusal> {
        do {
            return .success(try await applyLine(try line.change.get()))
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch StoreError.refused(let refusal) {
            return .failure(refusal)
        } catch {
            return .failure(Refusal(.unavailable))
        }
    }

    /// Forgets what is kept of it.
    public func abandon(_ id: ImportID) { store.state.withLock { $0.imports[id] = nil } }

    /// One that nobody had the patience to wait for.
    public func importReport(_ id: ImportID, by operator: OperatorNumber?) async throws(StoreError) -> ImportReport {
        try await attempt { state in
            let found = state.imported.first { $0.id == id }
            return (found.map { .success($0) } ?? .failure(.refused(Refusal(.noSuchTask, field: "import_id"))), [])
        }
    }

    /// Those that nobody had the patience to wait for.
    public func imports(
        by operator: OperatorNumber?, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<ImportReport> {
        try await attempt { state in
            let start = after.flatMap { Int($0.text) } ?? 0
            let items = state.imported.dropFirst(start).prefix(limit).map(\.withoutFailures)
            let next = start + limit < state.imported.count ? PageToken("\(start + limit)") : nil
            return (.success(Page(items: items, next: next)), [])
        }
    }
}

extension ImportReport {
    fileprivate var withoutFailures: ImportReport {
        ImportReport(
            id: id, state: state, lines: lines, tally: tally, startedAt: startedAt, endedAt: endedAt, timeLeft: timeLeft,
            failures: [])
    }
}
