internal import Push

/// A stored row as devices get it.
enum DeliveredRow {
    /// - Parameters:
    ///   - row: the task's own row.
    ///   - position: where it stands for the device: the row's, or that of a reference to it.
    static func row(_ row: StoredRow, task: TaskID, app: AppKey, position: UInt64, target: TargetKey) -> Row {
        let payload = DeviceMessage.compose(
            task: task, app: app, displayType: row.display, body: row.payload[row.body], tag: row.tag,
            version: row.version.map { UInt64($0) }, sentAt: row.created)
        return Row(
            task: task, position: Position(raw: position), target: target.rowTarget, audience: row.audience,
            expires: row.expires, topic: row.kind == .message ? .message : .configuration, payload: payload)
    }
}
