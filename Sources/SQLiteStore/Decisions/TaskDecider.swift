internal import Push
internal import StoreCore

/// What becomes of a task after it was accepted: it is cancelled, or superseded.
final class TaskDecider {
    private let tables: Tables
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let receipts: ReceiptBook
    private let feed: Feed
    private let numbers: TaskNumber

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ receipts: ReceiptBook, _ feed: Feed,
        _ numbers: TaskNumber
    ) {
        self.tables = tables
        self.log = log
        self.directory = directory
        self.receipts = receipts
        self.feed = feed
        self.numbers = numbers
    }

    /// A task's row, if there is one and `app` may see it.
    func row(of task: TaskID, for app: AppKey?) throws(SQLiteError) -> StoredRow? {
        guard let seq = numbers.position(of: task), let row = try tables.messages.row(seq), row.reference == nil else {
            return nil
        }
        if let app, directory.apps[app]?.number != row.app { return nil }
        return row
    }

    /// How a task has ended; `nil` for one that goes on.
    func end(of row: StoredRow, at now: Int64) throws(SQLiteError) -> TaskStatus? {
        guard let status = try receipts.receipts(at: row.seq)?.status(of: row, at: now), status != .active else { return nil }
        return status
    }

    /// Recalls a task; one that has ended stays as it is.
    /// - Returns: where it stands then; 2204.
    func cancel(_ task: TaskID, by app: AppKey?, at now: Int64) throws(SQLiteError) -> Result<TaskStatus, Refusal> {
        guard let row = try row(of: task, for: app), let receipts = try receipts.receipts(at: row.seq) else {
            return .failure(Refusal(.noSuchTask, field: "task_id"))
        }
        let status = receipts.status(of: row, at: now)
        guard status == .active else { return .success(status) }
        try endTask(row.seq, .cancelled, at: now)
        if row.kind == .configuration { try tables.configurations.remove(row.seq) }
        return .success(.cancelled)
    }

    /// Ends a task: nothing more of it is handed to a connection.
    func endTask(_ seq: UInt64, _ end: StoredRow.End, at now: Int64) throws(SQLiteError) {
        try tables.totals.add(-1, seq)
        try tables.messages.markEnded(seq, end, at: now)
        try tables.totals.add(1, seq)
        receipts.ended(seq, end)
        feed.ended(seq, at: log.takePosition())
    }
}
