internal import Push
internal import StoreCore

/// Says what happened to the loops that it concerns. A device's own entries go to the loop that has its session.
/// Writer only.
final class Feed {
    private let outbox: Outbox
    private let sessions: SessionRegistry
    private let tasks: TaskNumber

    init(_ outbox: Outbox, _ sessions: SessionRegistry, _ tasks: TaskNumber) {
        self.outbox = outbox
        self.sessions = sessions
        self.tasks = tasks
    }

    /// A row, or a reference to one.
    /// - Parameter position: the row's, or the reference's.
    func row(_ row: StoredRow, of app: AppKey, at position: UInt64, to target: TargetKey) {
        // A device's row concerns the loop that has its session. Without one it stays in the log, and is not even composed.
        var only: SessionRegistry.Session?
        if target.kind == .device {
            only = sessions[target.shortID]
            if only == nil { return }
        }
        let sent = row.delivered(as: tasks.id(of: row.seq), of: app, at: position, to: target, in: theLane)
        if let only { outbox.post(.row(sent), to: only.loop) } else { outbox.post(.row(sent)) }
    }

    /// Whether somebody may tell of a row to that target soon.
    func isWatched(_ target: TargetKey) -> Bool { target.kind != .device || sessions[target.shortID] != nil }

    /// Nothing more of a task is handed to a connection.
    func ended(_ seq: UInt64, at position: UInt64) {
        outbox.post(.ended(tasks.id(of: seq), at: Position(raw: position)))
    }

    /// A device belongs elsewhere from a position on.
    func membership(of ordinal: UInt32, _ membership: Membership, at position: UInt64) {
        guard let session = sessions[ordinal] else { return }
        outbox.post(
            .membership(DeviceHandle(ordinal: ordinal), membership, at: Position(raw: position)), to: session.loop)
    }

    /// An organisation is new, or below another one.
    func organisation(_ node: OrgTree.Node, at position: UInt64) {
        outbox.post(
            .organisation(
                OrgHandle(index: node.org), parent: node.parent.map { OrgHandle(index: $0) }, at: Position(raw: position)))
    }

    /// An app was changed; `nil`: removed.
    func app(_ key: AppKey, _ app: App?) { outbox.post(.app(key, app)) }

    /// A device's connection, if it has one, is to be closed.
    func close(_ ordinal: UInt32, _ reason: DisconnectReason) {
        guard let session = sessions[ordinal] else { return }
        outbox.post(.close(DeviceHandle(ordinal: ordinal), session: session.id, reason), to: session.loop)
    }

    /// The loop that has a device's connection is to tell what the device has not acknowledged.
    func inquire(_ ordinal: UInt32) {
        guard let session = sessions[ordinal] else { return }
        outbox.post(.inquiry(DeviceHandle(ordinal: ordinal), session: session.id), to: session.loop)
    }
}
