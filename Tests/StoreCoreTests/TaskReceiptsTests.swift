import Push
import StoreCore
import Testing

/// Where a task stands and what its counts are, by its row and its receipts.
@Suite("status and counts")
struct TaskReceiptsTests {
    private static func row(
        _ kind: StoredRow.Kind = .message, expires: Int64? = 100, targeted: Int = 4, skipped: Int = 0, end: StoredRow.End = .none
    ) -> StoredRow {
        StoredRow(
            seq: 1, kind: kind, app: 1, target: .organisation(1), flags: 0, within: nil, created: 0, expires: expires,
            payload: [],
            body: 0..<0, display: nil, tag: nil, version: nil, targeted: targeted, skipped: skipped, end: end,
            endedAt: end == .none ? nil : 50, description: nil)
    }

    @Test(
        "who is in no stored state is one number, whose name is the status",
        arguments: [
            (row(), Int64(99), TaskStatus.active, RecipientState.pending),
            (row(), 100, .expired, .expired),
            (row(end: .cancelled), 99, .cancelled, .cancelled),
            (row(.configuration, expires: nil, end: .superseded), 99, .superseded, .superseded),
        ])
    func rest(row: StoredRow, now: Int64, status: TaskStatus, state: RecipientState) {
        let receipts = TaskReceipts(row)
        receipts.add(1, to: .delivered)
        receipts.add(2, to: .joined)
        receipts.add(1, to: .withdrawn)
        receipts.add(1, to: .rejected)
        #expect(receipts.status(of: row, at: now) == status)
        let counts = receipts.counts(of: row, at: now)
        #expect(RecipientState(restOf: status) == state)
        #expect(Self.rest(counts, state) == 3)
        #expect(counts.targeted == 6 && counts.delivered == 1 && counts.withdrawn == 1 && counts.rejected == 1)
        let parts = [
            counts.delivered, counts.pending, counts.expired, counts.superseded, counts.cancelled, counts.withdrawn,
            counts.skippedOversize, counts.rejected,
        ]
        #expect(parts.reduce(0, +) == counts.targeted)
    }

    private static func rest(_ counts: Counts, _ state: RecipientState) -> Int? {
        [
            .pending: counts.pending, .expired: counts.expired, .cancelled: counts.cancelled, .superseded: counts.superseded,
        ][state]
    }

    @Test("a message is completed when nobody waits for it; a configuration goes on while it is the current one")
    func completed() {
        let (message, configuration) = (Self.row(targeted: 1, skipped: 1), Self.row(.configuration, targeted: 1, skipped: 1))
        #expect(TaskReceipts(message).status(of: message, at: 10) == .completed)
        #expect(TaskReceipts(configuration).status(of: configuration, at: 10) == .active)
        #expect(TaskReceipts(configuration).status(of: configuration, at: 100) == .completed)
    }

    @Test("a task ends when somebody ended it, when its last device had it, or when it expires")
    func ends() {
        #expect(Self.row(end: .cancelled).endTime(completed: 20) == 50)
        #expect(Self.row().endTime(completed: 20) == 20)
        #expect(Self.row().endTime(completed: nil) == 100)
        #expect(Self.row(.configuration).endTime(completed: 20) == 100)
        #expect(Self.row(.configuration, expires: nil).endTime(completed: nil) == nil)
    }
}
