internal import Base
internal import Postgres
internal import Push
internal import StoreCore

// Statistics: the tasks of an app that have a tag are summed up slice by slice, so that nobody waits for a long answer but who
// asked.

extension StoreNode {
    /// How many tasks one slice looks at.
    private static let slice = 1_000

    func totals(
        app: AppKey, tag: ExactText, from: Int64?, to: Int64?
    ) async throws(StoreError) -> (tasks: Int, counts: Counts) {
        await writeFacts()
        var sum = TotalsSum(now: time.now(at: options.boot()))
        try await addSlice(to: &sum, app, tag, from, to)
        guard !sum.isDone else { return (sum.tasks, sum.counts) }
        guard longReports.begin(of: app) else { throw .refused(Refusal(.rateLimited)) }
        defer { longReports.end(of: app) }
        while !sum.isDone {
            try await addSlice(to: &sum, app, tag, from, to)
            if sum.tasks > LongReports.mostTasks { throw .refused(Refusal(.invalidValue, field: "from")) }
        }
        return (sum.tasks, sum.counts)
    }

    private func addSlice(
        to sum: inout TotalsSum, _ app: AppKey, _ tag: ExactText, _ from: Int64?, _ to: Int64?
    ) async throws(StoreError) {
        var arguments = PostgresArguments()
        arguments.append(int8: sum.now)
        arguments.append(name: app.text)
        arguments.append(name: tag.text)
        arguments.append(int8: StableHash.of(tag.text, of: app))
        arguments.append(int8: from)
        arguments.append(int8: to)
        arguments.append(int8: sum.after)
        arguments.append(int4: Int32(Self.slice))
        let rows = try await read(Statements.totals, arguments, mostBytes: Self.mostBytesOfTasks)
        do throws(PostgresShapeError) { try sum.add(rows) } catch {
            try decoded { () throws(PostgresShapeError) in throw error }
        }
    }
}

/// Statistics as far as they are summed up.
private struct TotalsSum {
    private(set) var tasks = 0
    private(set) var counts = Counts()
    /// By which a task has expired: the same for all slices.
    let now: Int64
    /// After which position they go on.
    private(set) var after: Int64 = 0
    private(set) var isDone = false

    init(now: Int64) { self.now = now }

    /// A slice (`totals_1`): tasks, and a last row that tells where it goes on.
    mutating func add(_ rows: PostgresRows) throws(PostgresShapeError) {
        let last = rows.count - 1
        guard last >= 0 else { throw .end }
        for row in 0..<last {
            counts += try Self.counts(rows, row)
            tasks += 1
        }
        if let next = try rows.int8(last, 13) { after = next } else { isDone = true }
    }

    private static func counts(_ rows: PostgresRows, _ index: Int) throws(PostgresShapeError) -> Counts {
        let end = StoredRow.End(rawValue: Int64(try rows.present4(index, 5))) ?? .none
        let receipts = TaskReceipts(
            seq: try rows.position(index, 0), target: TargetKey(raw: try rows.present8(index, 2)),
            isMessage: try rows.present4(index, 1) == 0, targeted: Int(try rows.present4(index, 3)),
            skipped: Int(try rows.present4(index, 4)), total: nil, mayExpire: true, end: end)
        let marks = try TaskMarks(rows, index, from: 7, only: receipts.only)
        try receipts.count(marks, rows, index, events: 10)
        return receipts.counts(of: end, isExpired: try rows.bool(index, 6) ?? false)
    }
}
