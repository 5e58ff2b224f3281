internal import Base
internal import Push
internal import StoreCore

// Why a device has a task, or has it not: its intervals tell whether it was addressed, its marks what became of the task, its
// cursor what is before it, and its connection's loop what is on its way.

extension LoopPort {
    /// How many pending rows are looked at for one that waits.
    private static let scan = 1_000

    func explain(
        _ task: TaskID, to device: DeviceToken, within scope: OrgID?, patience: Duration
    ) async throws(StoreError) -> Explanation {
        try await settleFacts()
        let shown = try await self.device(device, within: scope)
        let (progress, unacknowledged) = try await inquire(about: device, patience: patience)
        guard let progress else { throw .refused(Refusal(.noSuchDevice, field: "device")) }
        let now = store.options.clocks.wall() / 1_000
        let scope = store.organisations.view(of: scope)
        let found = try await read(store.reports) { context throws(SQLiteError) in
            try context.reading { view throws(SQLiteError) -> Explanation? in
                try ExplanationReader(context: context, view: view, now: context.clock(), most: Self.scan, scope: scope)
                    .explanation(of: task, shown, progress, unacknowledged, wallClock: now)
            }
        }
        guard let found else { throw .refused(Refusal(.noSuchTask, field: "task_id")) }
        return found
    }
}

/// Reads what the file tells of a task and a device.
private struct ExplanationReader {
    let context: Reader.Context
    let view: Tail.View
    /// Store time.
    let now: Int64
    /// How many pending rows are looked at.
    let most: Int
    /// Outside of which nothing is told.
    let scope: ScopeView?

    private var tables: Tables { context.tables }

    /// - Returns: `nil` where there is no such task.
    func explanation(
        of task: TaskID, _ device: Device, _ progress: Inquiries.Progress, _ unacknowledged: Unacknowledged?, wallClock: Int64
    ) throws(SQLiteError) -> Explanation? {
        let reports = ReportReader(context: context, now: now)
        guard let row = try reports.row(of: task, to: nil, within: scope) else { return nil }
        let ordinal = progress.device
        let receipts = try tables.receipts.receipts(of: row)
        let history = try tables.devices.history(of: ordinal, since: row.seq)
        let standing = try standing(of: history, row, receipts)
        var state: RecipientState?
        if let history, standing == .addressed || standing == .joined {
            state = try RecipientReader(context: context, now: now).state(of: history, row, receipts)
        }
        var detail: String?
        if state == .rejected {
            let told = try tables.events.recipients(
                RecipientState.rejectionNumber, of: row.seq, from: Int64(ordinal), limit: 1)
            detail = told.first { $0.ordinal == Int64(ordinal) }?.recipient.detail
        }
        var wait: Explanation.Wait?
        // A configuration that was joined stands where it was joined, under the number of its task.
        var place = standing == .addressed ? row.seq : nil
        if state == .pending {
            let pending = try pending(progress)
            let index = pending.rows.firstIndex { $0.row.seq == row.seq }
            if let index { place = pending.rows[index].seq }
            let ahead = pending.rows[..<(index ?? pending.rows.count)]
            wait = Explanation.Wait(
                ahead: ahead.count, isMore: index == nil && pending.isMore,
                behind: try ahead.first.flatMap { first throws(SQLiteError) in try named(first.row) },
                unacknowledged: unacknowledged,
                now: wallClock)
        }
        return Explanation(
            task: try reports.report(row, isOfOperator: true), device: device, standing: standing, state: state, detail: detail,
            membership: try history?.membership(at: row.seq).flatMap { membership throws(SQLiteError) in
                if let scope, !scope.contains(membership.organisation.index) { return nil }
                return try self.membership(membership)
            },
            wait: wait,
            message: place.flatMap { place in unacknowledged?.messages.first { $0.position == Position(raw: place) } },
            now: wallClock)
    }

    private func standing(
        of history: MembershipHistory?, _ row: StoredRow, _ receipts: TaskReceipts
    ) throws(SQLiteError) -> Explanation.Standing {
        guard let history else { return .unregistered }
        if try tables.wasAddressed(history, by: row) { return .addressed }
        if try tables.receipts.has(.joined, history.ordinal, in: receipts) { return .joined }
        return history.membership(at: row.seq) == nil ? .unregistered : .outside
    }

    private func membership(_ membership: Membership) throws(SQLiteError) -> Explanation.Membership {
        Explanation.Membership(
            organisation: try tables.organisations.id(of: Int64(membership.organisation.index)) ?? OrgID(unchecked: ""),
            user: try membership.user.map { user throws(SQLiteError) in try tables.users.id(of: Int64(user.raw)) } ?? nil,
            test: membership.test)
    }

    /// What the device has still to get, as far as it is looked at.
    private func pending(
        _ progress: Inquiries.Progress
    ) throws(SQLiteError) -> (
        rows: [(seq: UInt64, target: TargetKey, row: StoredRow)], isMore: Bool
    ) {
        let query = PendingQuery(tables: tables, view: view, now: now)
        let settled = Set(progress.beyond)
        let page = try query.rows(for: progress.device, after: progress.cursor, limit: most, looking: most)
        return (page?.rows.filter { !settled.contains($0.seq) } ?? [], (page?.lookedUpTo ?? 0) < view.head)
    }

    /// The number of a task, where it may be told.
    private func named(_ row: StoredRow) throws(SQLiteError) -> TaskID? {
        if let scope, try !tables.isInside(row.target, at: row.seq, scope.contains) { return nil }
        return context.tasks.id(of: row.seq)
    }
}
