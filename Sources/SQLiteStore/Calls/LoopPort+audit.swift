internal import Base
internal import Push
internal import StoreCore

// What operators did, and who was refused.

extension LoopPort {
    /// How many entries, or counts, one page looks at.
    private static let scan = 5_000
    /// How many counts one decision adds: others wait meanwhile.
    private static let countsAtATime = 250

    func record(_ entry: AuditEntry) {
        tell(.fact) { decisions, _ throws(SQLiteError) in decisions.audit.record(entry) }
    }

    func count(_ refusals: [RefusalCount]) async throws(StoreError) {
        for first in stride(from: 0, to: refusals.count, by: Self.countsAtATime) {
            let part = Array(refusals[first..<min(first + Self.countsAtATime, refusals.count)])
            try await change { decisions, _ throws(SQLiteError) in .success(try decisions.refusals.count(part)) }
            store.audited.refusals.add(Int(clamping: part.reduce(0) { $0 + $1.count }))
        }
    }

    func audit(
        _ filter: AuditFilter, after: PageToken?, limit: Int, by call: OperatorCall
    ) async throws(StoreError) -> Page<AuditRecord> {
        // What was recorded before is in the file.
        try await settleFacts()
        let before = after == nil ? Int64.max : try PageToken.number(after)
        return try await read(store.reports) { context throws(SQLiteError) in
            try context.database.reading { () throws(SQLiteError) -> Page<AuditRecord> in
                let tables = context.tables
                let reader = try call.scope.map { scope throws(SQLiteError) -> AuditTable.Reader in
                    let number = try tables.organisations.number(of: scope)
                    return AuditTable.Reader(operator: call.number, scope: number.map { UInt32(truncatingIfNeeded: $0) })
                }
                let numbers = try tables.audit.numbers(from: filter.from, to: filter.to)
                let upper = min(before, numbers.upperBound)
                guard upper > numbers.lowerBound else { return Page(items: [], next: nil) }
                var items: [AuditRecord] = []
                let next = try tables.audit.forEach(
                    in: numbers.lowerBound..<upper, filter, seenBy: reader, looking: Self.scan
                ) { record in
                    items.append(record)
                    return items.count < limit
                }
                return Page(items: items, next: next.map { PageToken(String($0)) })
            }
        }
    }

    func refusals(
        _ filter: RefusalFilter, after: PageToken?, limit: Int
    ) async throws(StoreError) -> Page<RefusalCount> {
        let place = try Self.place(after)
        return try await read(store.reports) { context throws(SQLiteError) in
            try context.database.reading { () throws(SQLiteError) -> Page<RefusalCount> in
                var items: [RefusalCount] = []
                let next = try context.tables.refusals.forEach(after: place, filter, looking: Self.scan) { count in
                    items.append(count)
                    return items.count < limit
                }
                return Page(items: items, next: next.map { PageToken("\($0.minute)-\($0.behind)") })
            }
        }
    }

    /// A minute, and behind how many of it.
    private static func place(_ token: PageToken?) throws(StoreError) -> RefusalTable.Place {
        guard let token else { return RefusalTable.Place(minute: .max, behind: 0) }
        let parts = token.text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let minute = Int64(parts[0]), let behind = Int(parts[1]), minute >= 0, behind >= 0 else {
            throw .refused(Refusal(.invalidValue, field: "after", .expected(.pageToken, Excerpt(token.text))))
        }
        return RefusalTable.Place(minute: minute, behind: behind)
    }
}
