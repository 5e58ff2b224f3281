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

    /// Whom a row concerns.
    enum Listeners {
        /// A device's that has no session: the row stays in the log, and is not even composed.
        case none
        /// A device's: the loop that has its session.
        case loop(Int)
        case all
    }

    /// Who may tell of a row to that target soon.
    func listeners(to target: TargetKey) -> Listeners {
        guard target.kind == .device else { return .all }
        return sessions.loop(of: target.shortID).map { .loop($0) } ?? .none
    }

    /// A row, or a reference to one.
    /// - Parameters:
    ///   - position: the row's, or the reference's.
    ///   - listeners: to `target`.
    func row(
        _ row: StoredRow, as task: TaskID, of app: AppKey, at position: UInt64, to target: TargetKey, _ listeners: Listeners
    ) {
        if case .none = listeners { return }
        let sent = row.delivered(as: task, of: app, at: position, to: target, in: theLane)
        if case .loop(let loop) = listeners { outbox.post(.row(sent), to: loop) } else { outbox.post(.row(sent)) }
    }

    /// The same of a reference.
    func reference(to row: StoredRow, of app: AppKey, at position: UInt64, for target: TargetKey) {
        self.row(row, as: tasks.id(of: row.seq), of: app, at: position, to: target, listeners(to: target))
    }

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

    /// An operator was changed; `nil`: removed.
    func operatorChanged(_ number: OperatorNumber, _ changed: Operator?) {
        outbox.post(.operatorChanged(number, changed))
    }

    /// An operator's session began; `nil`: ended.
    func operatorSession(_ key: OperatorSessionKey, _ session: OperatorSession?) { outbox.post(.operatorSession(key, session)) }

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
