internal import Push
internal import StoreCore

/// Configurations are state: for one app, target, tag and mode only the newest counts, and who joins a target later gets it.
final class ConfigurationDecider {
    private let tables: Tables
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let receipts: ReceiptBook
    private let feed: Feed
    private let tasks: TaskDecider

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ receipts: ReceiptBook, _ feed: Feed,
        _ tasks: TaskDecider
    ) {
        self.tables = tables
        self.log = log
        self.directory = directory
        self.receipts = receipts
        self.feed = feed
        self.tasks = tasks
    }

    // MARK: The newest counts

    /// Ends the current configuration of a slot, if there is one.
    func supersede(_ slot: ConfigurationTable.Slot, at now: Int64) throws(SQLiteError) {
        guard let older = try tables.configurations.position(in: slot) else { return }
        // One that has expired has ended already, and no count that a caller has read falls back.
        if let row = try tables.messages.row(older), row.isDeliverable(at: now) { try tasks.endTask(older, .superseded, at: now) }
    }

    /// Makes a row the current configuration of its slot.
    func makeCurrent(_ row: StoredRow, in slot: ConfigurationTable.Slot) throws(SQLiteError) {
        try tables.configurations.write(row.seq, in: slot, scope: row.within)
    }

    /// Cancels the current configurations of an organisation that is deleted.
    func cancel(ofOrganisation id: OrgID, at now: Int64) throws(SQLiteError) {
        let target = ConfigurationTable.Target(kind: .organisation, name: id.text)
        for row in try current(target, at: now) { try tasks.endTask(row.seq, .cancelled, at: now) }
        try tables.configurations.remove(allOf: target)
    }

    // MARK: Which are current, oldest first

    func current(ofDevice token: DeviceToken, at now: Int64) throws(SQLiteError) -> [StoredRow] {
        try current(ConfigurationTable.Target(kind: .device, name: token.text), at: now)
    }

    func current(ofUser user: UserHandle, at now: Int64) throws(SQLiteError) -> [StoredRow] {
        guard let id = try tables.users.id(of: user.number) else { return [] }
        return try current(ConfigurationTable.Target(kind: .user, name: id.text), at: now)
    }

    func current(ofOrganisation org: UInt32, at now: Int64) throws(SQLiteError) -> [StoredRow] {
        guard let node = directory.tree[org] else { return [] }
        return try current(ConfigurationTable.Target(kind: .organisation, name: node.id.text), at: now)
    }

    /// Of apps whose scope is that organisation.
    func current(withScope org: UInt32, at now: Int64) throws(SQLiteError) -> [StoredRow] {
        try rows(try tables.configurations.positions(withScope: org), at: now)
    }

    /// All that are for a device by what it is, its user and the organisations above it.
    func current(
        for token: DeviceToken, _ membership: Membership, at now: Int64
    ) throws(SQLiteError) -> [StoredRow] {
        var found = try current(ofDevice: token, at: now)
        if let user = membership.user { found += try current(ofUser: user, at: now) }
        for org in directory.tree.path(of: membership.organisation.index) {
            found += try current(ofOrganisation: org, at: now)
        }
        return found
    }

    private func current(_ target: ConfigurationTable.Target, at now: Int64) throws(SQLiteError) -> [StoredRow] {
        try rows(try tables.configurations.positions(of: target), at: now)
    }

    private func rows(_ positions: [UInt64], at now: Int64) throws(SQLiteError) -> [StoredRow] {
        var found: [StoredRow] = []
        for position in positions {
            if let row = try tables.messages.row(position), row.isDeliverable(at: now) { found.append(row) }
        }
        return found
    }

    // MARK: Joining

    /// Gives a device the current configurations of targets that it joins.
    func join(_ device: DeviceTable.Member, _ configurations: [StoredRow], at now: Int64) throws(SQLiteError) {
        for row in configurations.sorted(by: { $0.seq < $1.seq }) {
            guard try count(device, in: row) == .recipient else { continue }
            try refer(to: row, target: .device(device.ordinal), within: nil, at: now)
        }
    }

    /// Gives everybody below `org`, who has joined it by `org`'s getting another parent, a current configuration.
    func join(subtree org: UInt32, _ row: StoredRow, at now: Int64) throws(SQLiteError) {
        for device in try tables.devices.members(ofOrganisations: directory.tree.descendants(of: org)) {
            _ = try count(device, in: row)
        }
        try refer(to: row, target: .organisation(org), within: row.within, at: now)
    }

    /// Counts a device of a configuration's target once in its task, if it is for the device.
    /// - Returns: what the configuration is to the device.
    private func count(_ device: DeviceTable.Member, in row: StoredRow) throws(SQLiteError) -> Standing {
        let standing = row.audience.standing(of: device.membership, isBelow: directory.tree.isBelow)
        guard standing != .outside, let counters = try receipts.receipts(at: row.seq) else { return .outside }
        if try !receipts.has(.joined, device.ordinal, in: counters), try !tables.wasAddressed(device.ordinal, by: row) {
            try receipts.mark(.joined, device.ordinal, in: counters)
            if standing == .leftOut { try receipts.mark(.skipped, device.ordinal, in: counters) }
        } else if try receipts.has(.withdrawn, device.ordinal, in: counters) {
            try receipts.unmark(.withdrawn, device.ordinal, in: counters)
        }
        return standing
    }

    /// - Parameter within: the scope, where the target may reach beyond it.
    private func refer(
        to row: StoredRow, target: TargetKey, within: UInt32?, at now: Int64
    ) throws(SQLiteError) {
        // Its own time: positions and times have one order.
        var reference = row.reference(to: target, within: within, created: now)
        try log.append(&reference)
        guard let app = try tables.apps.key(of: row.app) else { return }
        feed.row(row, of: app, at: reference.seq, to: target)
    }
}
