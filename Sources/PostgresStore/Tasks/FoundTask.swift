internal import Base
internal import Postgres
internal import Push
internal import StoreCore

/// A task's row with what is counted of it, as of one moment (`tasks_1`, `list_tasks_1`).
struct FoundTask {
    let row: StoredRow
    let marks: TaskMarks
    let receipts: TaskReceipts
    let app: AppKey
    let target: PushRequest.Target
    let origin: PushRequest.Origin?
    /// In store time.
    let now: Int64

    init(_ rows: PostgresRows, _ index: Int) throws(PostgresShapeError) {
        let key = TargetKey(raw: try rows.present8(index, 2))
        row = StoredRow(
            seq: try rows.position(index, 0), kind: StoredRow.Kind(rawValue: Int64(try rows.present4(index, 1))) ?? .message,
            app: Int64(try rows.present4(index, 3)), target: key, flags: Int64(try rows.present4(index, 4)),
            within: try rows.int4(index, 5).map { UInt32(bitPattern: $0) }, created: try rows.present8(index, 6),
            expires: try rows.int8(index, 7),
            offset: try rows.int8(index, 8) ?? 0, payload: try rows.bytea(index, 9) ?? [],
            body: Int(try rows.int4(index, 10) ?? 0)..<Int(try rows.int4(index, 11) ?? 0),
            display: try rows.int4(index, 12).map { DisplayType(number: Int64($0)) },
            tag: try rows.name(index, 13).map { ExactText($0) }, version: try rows.int8(index, 15),
            targeted: Int(try rows.present4(index, 16)), skipped: Int(try rows.present4(index, 17)),
            end: StoredRow.End(rawValue: Int64(try rows.present4(index, 18))) ?? .none, endedAt: try rows.int8(index, 19),
            description: try rows.name(index, 14))
        app = AppKey(unchecked: try rows.name(index, 22) ?? "")
        let name = try rows.name(index, 23) ?? ""
        target =
            switch key.kind {
            case .device: .device(DeviceToken(unchecked: name))
            case .user: .user(UserID(unchecked: name))
            case .organisation, nil: .organisation(OrgID(unchecked: name))
            }
        let client = try rows.bytea(index, 20).flatMap { IPAddress(stored: $0) }
        let pusher = try rows.name(index, 31).map { OperatorName(unchecked: $0) }
        origin = try rows.name(index, 21).map { PushRequest.Origin(client: client, requestID: $0, operator: pusher) }
        now = try rows.present8(index, 30)
        receipts = TaskReceipts(row)
        marks = try TaskMarks(rows, index, from: 24, only: receipts.only)
        try receipts.count(marks, rows, index, events: 27)
    }

    /// Whether it ended so long ago that nobody is told of it any more.
    /// - Parameter retention: milliseconds.
    func isOver(after retention: Int64) -> Bool { row.endTime(completed: nil).map { $0 + retention <= now } ?? false }

    var status: TaskStatus { receipts.status(of: row, at: now) }

    /// - Parameter isOfOperator: whether it tells also from where the task came.
    func report(as task: TaskID, isOfOperator: Bool) -> TaskReport {
        TaskReport(
            task: task, app: app, interface: row.interface, target: target, payload: row.payload, testOnly: row.isTestOnly,
            description: row.description, tag: row.tag, createdAt: row.createdAt, expireAt: row.expireAt, status: status,
            counts: receipts.counts(of: row, at: now), origin: isOfOperator ? origin : nil)
    }

    /// What became of it at a device that it was for.
    func state(of history: MembershipHistory) -> RecipientState {
        if let state = marks.state(of: history.ordinal) { return state }
        return row.audience.leavesOut(history.platform) ? .skippedOversize : RecipientState(restOf: status)
    }
}
