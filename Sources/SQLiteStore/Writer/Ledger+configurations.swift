internal import Push

/// Configurations are state: for one app, target, tag and mode only the newest counts, and who joins a target later gets it.
extension Ledger {
    /// A current configuration's target, as `current_config` keys it: by name, since a device's configuration is for whoever holds
    /// its token.
    struct ConfigTarget: Hashable {
        let kind: TargetKey.Kind
        let name: String
    }

    /// Ends the current configuration of the same app, target, tag and mode, if there is one.
    func supersede(_ request: PushRequest, _ app: Int64, _ target: TargetKey, name: String) throws(SQLiteError) {
        guard let kind = target.kind else { return }
        let find = try database.statement(
            "SELECT seq FROM current_config WHERE kind = ? AND target = ? AND app = ? AND tag = ? AND test = ?")
        find.bind(1, kind.rawValue)
        find.bind(2, name)
        find.bind(3, app)
        find.bind(4, request.tag ?? "")
        find.bind(5, request.testOnly ? 1 : 0)
        guard try find.step() else { return }
        let older = find.position(0)
        find.reset()
        // One that has expired has ended already, and no count that a caller has read falls back.
        if let row = try rows.row(older), row.isDeliverable(at: now) { try end(older, .superseded) }
    }

    /// Makes a row the current configuration of its app, target, tag and mode.
    func makeCurrent(_ row: StoredRow, app: Int64, name: String) throws(SQLiteError) {
        guard let kind = row.target.kind else { return }
        let replace = try database.statement(
            "INSERT OR REPLACE INTO current_config(kind, target, app, tag, test, seq, within) VALUES(?, ?, ?, ?, ?, ?, ?)")
        replace.bind(1, kind.rawValue)
        replace.bind(2, name)
        replace.bind(3, app)
        replace.bind(4, row.tag ?? "")
        replace.bind(5, row.isTestOnly ? 1 : 0)
        replace.bind(6, row.seq)
        replace.bind(7, row.within.map(Int64.init))
        try replace.run()
    }

    /// Ends a task: nothing more of it is handed to a connection.
    func end(_ seq: UInt64, _ end: StoredRow.End) throws(SQLiteError) {
        let update = try database.statement("UPDATE message SET status = ?, ended_at = ? WHERE seq = ?")
        update.bind(1, end.rawValue)
        update.bind(2, now)
        update.bind(3, seq)
        try update.run()
        outbox.post(.ended(tasks.id(of: seq), at: Position(raw: nextPosition())))
        directoryChanged = true
    }

    /// Recalls a task; one that has ended stays as it is.
    func cancel(_ task: TaskID, by app: AppKey?) throws(SQLiteError) -> Refusal? {
        guard let row = try self.row(of: task, for: app) else { return Refusal(.noSuchTask, field: "task_id") }
        guard row.isDeliverable(at: now), let receipts = try receipts.receipts(at: row.seq) else { return nil }
        // A message that nobody waits for is completed; a configuration is active for as long as it is the current one.
        if row.kind == .message && receipts.rest == 0 { return nil }
        try end(row.seq, .cancelled)
        let remove = try database.statement("DELETE FROM current_config WHERE seq = ?")
        remove.bind(1, row.seq)
        if row.kind == .configuration { try remove.run() }
        return nil
    }

    /// A task's row, if `app` may see it.
    func row(of task: TaskID, for app: AppKey?) throws(SQLiteError) -> StoredRow? {
        guard let seq = tasks.position(of: task), let row = try rows.row(seq), row.reference == nil else { return nil }
        if let app, apps[app]?.number != row.app { return nil }
        return row
    }

    /// The current configurations of a target.
    func current(_ target: ConfigTarget) throws(SQLiteError) -> [StoredRow] {
        let query = try database.statement("SELECT seq FROM current_config WHERE kind = ? AND target = ? ORDER BY seq")
        query.bind(1, target.kind.rawValue)
        query.bind(2, target.name)
        return try rows(query)
    }

    /// Current configurations by apps whose scope is `org`.
    func current(within org: UInt32) throws(SQLiteError) -> [StoredRow] {
        let query = try database.statement("SELECT seq FROM current_config WHERE within = ? ORDER BY seq")
        query.bind(1, org)
        return try rows(query)
    }

    private func rows(_ query: Statement) throws(SQLiteError) -> [StoredRow] {
        var positions: [UInt64] = []
        while try query.step() { positions.append(query.position(0)) }
        var found: [StoredRow] = []
        for position in positions {
            if let row = try rows.row(position), row.isDeliverable(at: now) { found.append(row) }
        }
        return found
    }

    // MARK: Joining

    /// Gives a device the current configurations of targets that it joins.
    func join(_ device: Member, _ configurations: [StoredRow]) throws(SQLiteError) {
        for row in configurations.sorted(by: { $0.seq < $1.seq }) {
            if try count(device, in: row) == .recipient { try refer(to: row, target: .device(device.ordinal), within: nil) }
        }
    }

    /// Gives everybody below `org`, who has joined it by `org`'s getting another parent, a current configuration.
    func join(subtree org: UInt32, _ row: StoredRow) throws(SQLiteError) {
        for device in try devices(below: org) { _ = try count(device, in: row) }
        try refer(to: row, target: .organisation(org), within: row.within)
    }

    /// Counts a device of a configuration's target once in its task, if it is for the device.
    /// - Returns: what the configuration is to the device.
    private func count(_ device: Member, in row: StoredRow) throws(SQLiteError) -> Standing {
        let standing = row.audience.standing(of: device.membership, isBelow: isBelow)
        guard standing != .outside, let receipts = try receipts.receipts(at: row.seq) else { return .outside }
        if try !self.receipts.has(.joined, device.ordinal, in: receipts), try !wasAddressed(device.ordinal, by: row) {
            try self.receipts.mark(.joined, device.ordinal, in: receipts)
            if standing == .leftOut { try self.receipts.mark(.skipped, device.ordinal, in: receipts) }
        } else if try self.receipts.has(.withdrawn, device.ordinal, in: receipts) {
            try self.receipts.unmark(.withdrawn, device.ordinal, in: receipts)
        }
        directoryChanged = true
        return standing
    }

    /// Whether a device was in a task's target when it was accepted: its intervals tell.
    func wasAddressed(_ ordinal: UInt32, by row: StoredRow) throws(SQLiteError) -> Bool {
        guard let history = try histories.history(of: ordinal, since: row.seq) else { return false }
        return try MembershipRule(histories: histories).wasAddressed(history, by: row)
    }

    /// - Parameter within: the scope, where the target may reach beyond it.
    private func refer(to row: StoredRow, target: TargetKey, within: UInt32?) throws(SQLiteError) {
        var reference = row
        reference.seq = nextPosition()
        reference.kind = .reference
        reference.target = target
        // Its own time: positions and times have one order.
        reference.created = now
        reference.within = within
        reference.reference = row.seq
        reference.payload = []
        reference.description = nil
        try insert(reference, nil)
        if let key = try appKey(row.app) { send(row, tasks.id(of: row.seq), at: reference.seq, to: target, app: key) }
    }

    private func devices(below org: UInt32) throws(SQLiteError) -> [Member] {
        let query = try database.statement(
            "SELECT ordinal, org, user, platform, test FROM device WHERE org = ? AND retired_seq = 9223372036854775807")
        var found: [Member] = []
        for member in tree.descendants(of: org) {
            query.bind(1, member)
            while try query.step() { found.append(Member(query)) }
        }
        return found
    }

    /// An app's key by its number, also of one that was removed.
    func appKey(_ number: Int64) throws(SQLiteError) -> AppKey? {
        let query = try database.statement("SELECT appkey FROM app WHERE app = ?")
        query.bind(1, number)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return AppKey(unchecked: query.text(0))
    }
}
