internal import Push
internal import StoreCore

/// Tasks as callers and operators see them, from one snapshot.
struct ReportReader {
    let context: Reader.Context
    /// Store time: what has expired by then is expired.
    let now: Int64

    private var tables: Tables { context.tables }

    /// A task's row, if there is one, `app` may see it, and it is inside of a scope.
    func row(of task: TaskID, to app: AppKey?, within scope: ScopeView?) throws(SQLiteError) -> StoredRow? {
        guard let seq = context.tasks.position(of: task), let row = try tables.messages.row(seq), row.reference == nil else {
            return nil
        }
        if let app, try tables.apps.number(of: app) != row.app { return nil }
        if let scope, try !tables.isInside(row.target, at: row.seq, scope.contains) { return nil }
        return row
    }

    /// - Parameter isOfOperator: whether it tells also from where the task came.
    func report(_ row: StoredRow, isOfOperator: Bool) throws(SQLiteError) -> TaskReport {
        let receipts = try tables.receipts.receipts(of: row)
        return TaskReport(
            task: context.tasks.id(of: row.seq), app: try context.appKey(row.app), interface: row.interface,
            target: try target(of: row), payload: row.payload, testOnly: row.isTestOnly, description: row.description,
            tag: row.tag, createdAt: row.createdAt, expireAt: row.expireAt, status: receipts.status(of: row, at: now),
            counts: receipts.counts(of: row, at: now),
            origin: isOfOperator ? try tables.messages.sender(of: row.seq) : nil)
    }

    private func target(of row: StoredRow) throws(SQLiteError) -> PushRequest.Target {
        switch row.target.kind {
        case .device: .device(try tables.devices.token(of: row.target.shortID) ?? DeviceToken(unchecked: ""))
        case .user: .user(try tables.users.id(of: row.target.id) ?? UserID(unchecked: ""))
        case .organisation, nil: .organisation(try tables.organisations.id(of: row.target.id) ?? OrgID(unchecked: ""))
        }
    }
}
