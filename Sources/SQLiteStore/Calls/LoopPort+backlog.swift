internal import Base
internal import Push
internal import StoreCore

// What a device has still to get: the writer knows its cursor, its connection's loop what is on its way, and a reader counts.

extension LoopPort {
    /// How many rows are looked at in one piece of work: reports wait for no more than that.
    private static let slice = 500

    /// What one piece of work has counted.
    private struct Slice {
        let count: Int
        let looked: Int
        let upTo: UInt64
        let isLast: Bool
    }

    func backlog(of token: DeviceToken, patience: Duration) async throws(StoreError) -> Backlog {
        let (progress, unacknowledged) = try await inquire(about: token, patience: patience)
        let now = store.options.clocks.wall() / 1_000
        guard let progress, let (pending, isMore) = try await countPending(progress) else {
            throw .refused(Refusal(.noSuchDevice, field: "device_token"))
        }
        return Backlog(pending: pending, isMore: isMore, unacknowledged: unacknowledged, now: now)
    }

    func tell(_ unacknowledged: Unacknowledged, of session: SessionID) {
        tell(.session) { decisions, _ throws(SQLiteError) in decisions.inquiries.end(of: session, unacknowledged) }
    }

    /// - Returns: no progress where there is no such device; no number where the loop did not tell in time.
    func inquire(
        about token: DeviceToken, patience: Duration
    ) async throws(StoreError) -> (Inquiries.Progress?, Unacknowledged?) {
        typealias Outcome = Result<(Inquiries.Progress?, Unacknowledged?), StoreError>
        let deadline = MonotonicClock.nanoseconds + Int64(patience / .nanoseconds(1))
        let loop = loop
        let outcome = await withAnswer { (continuation: AnswerContinuation<Outcome>) in
            let inquiry = Inquiries.Inquiry(loop: loop, token: token, deadline: deadline) { progress, unacknowledged in
                continuation.resume(returning: .success((progress, unacknowledged)))
            }
            store.writer.submit(
                Job(
                    loop: loop, kind: .session,
                    decide: { decisions, _ throws(SQLiteError) in try decisions.connections.inquire(inquiry) },
                    fail: { error in { continuation.resume(returning: .failure(error)) } }))
        }
        return try outcome.get()
    }

    /// Counts slice by slice what a device has not acknowledged.
    /// - Returns: `nil` if the device is gone.
    private func countPending(_ progress: Inquiries.Progress) async throws(StoreError) -> (Int, isMore: Bool)? {
        let settled = Set(progress.beyond)
        var count = 0
        var looked = 0
        var position = progress.cursor
        while looked < Backlog.most {
            let (after, limit) = (position, min(Self.slice, Backlog.most - looked))
            let found = try await read(store.reports) { context throws(SQLiteError) in
                try context.reading { view throws(SQLiteError) -> Slice? in
                    let query = PendingQuery(tables: context.tables, view: view, now: context.clock())
                    guard let page = try query.rows(for: progress.device, after: after, limit: limit, looking: limit) else {
                        return nil
                    }
                    return Slice(
                        count: page.rows.count { !settled.contains($0.seq) }, looked: page.looked, upTo: page.lookedUpTo,
                        isLast: page.lookedUpTo >= view.head)
                }
            }
            guard let found else { return nil }
            count += found.count
            if found.isLast { return (count, false) }
            looked += found.looked
            position = found.upTo
        }
        return (count, true)
    }
}
