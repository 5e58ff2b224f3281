internal import Postgres
internal import Push
internal import StoreCore

// What was pending for a device is withdrawn from it.

extension StoreNode {
    /// How many rows of a target one slice looks at: each that is pending is one look at bitmaps more while others wait.
    private static let rows: Int32 = 64

    /// A row that may be pending for a device (`candidates_1`).
    private struct Candidate {
        let row: StoredRow
        let task: UInt64
        let isOpen: Bool
        /// The device of a unicast.
        let only: UInt32?
    }

    /// Marks what was pending for a device before the change as withdrawn. `place`: the position up to which it has looked.
    func withdraw(_ job: Job, where isConcerned: (StoredRow) -> Bool) async throws(PostgresShapeError) -> JobSlice? {
        var slice = JobSlice(job)
        let ordinal = UInt32(truncatingIfNeeded: job.subject)
        guard let (cursor, beyond) = try await progress(of: job.subject), let histories = try await histories(of: [job.subject])
        else { return nil }
        guard let history = histories[ordinal] else { return slice }
        let place = max(UInt64(bitPattern: job.place), cursor)
        guard place + 1 < job.position else { return slice }
        guard let (candidates, lookedUpTo) = try await candidates(for: history, after: place, before: job.position) else {
            return nil
        }
        let pending = candidates.filter { candidate in
            let row = candidate.row
            return row.seq <= lookedUpTo && candidate.isOpen && !beyond.contains(row.seq) && isConcerned(row)
                && isFor(history, row, until: job.position)
        }
        guard let book = try await marks(of: pending.map { ($0.task, ordinal) }) else { return nil }
        var withdrawn: Set<UInt64> = []
        for candidate in pending where withdrawn.insert(candidate.task).inserted {
            let isOnly = candidate.only == ordinal
            slice.withdrawals.append(
                .init(
                    task: candidate.task, chunk: isOnly ? MarkBook.only : Int32(ordinal >> 16),
                    low: Int32(UInt16(truncatingIfNeeded: ordinal)),
                    bits: isOnly ? nil : book.bits(.withdrawn, with: ordinal, of: candidate.task)))
        }
        if lookedUpTo + 1 < job.position { slice.goOn(from: Int64(bitPattern: lookedUpTo)) }
        return slice
    }

    private func isFor(_ history: MembershipHistory, _ row: StoredRow, until end: UInt64) -> Bool {
        guard let membership = history.lastingMembership(since: row.seq, until: end) else { return false }
        return row.audience.standing(of: membership) { isBelow($0.index, $1.index, at: row.seq) } == .recipient
    }

    private func progress(of ordinal: Int64) async throws(PostgresShapeError) -> (cursor: UInt64, beyond: Set<UInt64>)? {
        var arguments = PostgresArguments()
        arguments.append(int8: ordinal)
        guard let rows = lookedUp(await reads.call(PostgresCall(Statements.progress, arguments))) else { return nil }
        guard rows.count == 1 else { return (0, []) }
        let beyond = try rows.array(0, 1, of: .int8)?.int8s() ?? []
        return (try rows.position(0, 0), Set(beyond.map { UInt64(bitPattern: $0) }))
    }

    /// Rows that address the device, oldest first, and how far they are all of them.
    private func candidates(
        for history: MembershipHistory, after: UInt64, before: UInt64
    ) async throws(PostgresShapeError) -> ([Candidate], lookedUpTo: UInt64)? {
        let intervals = history.targets(after: after, parents: { directory.parents(of: $0) }).compactMap { target in
            let (low, high) = (max(after, target.from), min(target.to, before))
            return low + 1 < high ? MembershipHistory.Interval(target.value, from: low, to: high) : nil
        }
        // Of many targets fewer rows each: a call is answered with a bounded number of them.
        let limit = max(8, min(Self.rows, 8_192 / Int32(max(1, intervals.count))))
        let outcome = await timely(reads, Statements.candidates, mostRows: intervals.count * Int(limit)) { arguments in
            arguments.append(each: Array(intervals.indices), int4: { Int32($0) })
            arguments.append(each: intervals, int8: { $0.value.raw })
            arguments.append(each: intervals, int8: { Int64(bitPattern: $0.from) })
            arguments.append(each: intervals, int8: { Int64(bitPattern: $0.to) })
            arguments.append(int4: limit)
        }
        guard let rows = lookedUp(outcome) else { return nil }
        var found: [Candidate] = []
        var scanned: [Int32: (count: Int32, last: UInt64)] = [:]
        for row in 0..<rows.count {
            let target = TargetKey(raw: try rows.present8(row, 8))
            let stored = StoredRow(
                seq: try rows.position(row, 1), kind: .message, target: TargetKey(raw: try rows.present8(row, 4)),
                flags: Int64(try rows.present4(row, 5)), within: try rows.int4(row, 6).map { UInt32(bitPattern: $0) })
            found.append(
                Candidate(
                    row: stored, task: try rows.position(row, 2), isOpen: try rows.bool(row, 7) ?? false,
                    only: target.kind == .device ? target.shortID : nil))
            let number = try rows.present4(row, 0)
            scanned[number] = ((scanned[number]?.count ?? 0) + 1, stored.seq)
        }
        var lookedUpTo = before - 1
        for scan in scanned.values where scan.count >= limit { lookedUpTo = min(lookedUpTo, scan.last) }
        found.sort { $0.row.seq < $1.row.seq }
        // However many targets there are, a slice is one.
        if found.count > Int(Self.rows) {
            lookedUpTo = min(lookedUpTo, found[Int(Self.rows) - 1].row.seq)
        }
        return (found, lookedUpTo)
    }
}
