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

    /// Whether an organisation that is deleted has any: they are still to be cancelled.
    func isAny(ofOrganisation id: OrgID) throws(SQLiteError) -> Bool {
        let target = ConfigurationTable.Target(kind: .organisation, name: id.text)
        return try !tables.configurations.entries(of: target, after: 0, before: MembershipHistory.forever, limit: 1).isEmpty
    }

    /// Some of the current configurations of an organisation that is gone, after a position, oldest first.
    func entries(
        ofOrganisation org: UInt32, after: UInt64, limit: Int
    ) throws(SQLiteError) -> [CurrentConfiguration] {
        guard let id = try tables.organisations.id(of: Int64(org)) else { return [] }
        let target = ConfigurationTable.Target(kind: .organisation, name: id.text)
        return try tables.configurations.entries(of: target, after: after, before: MembershipHistory.forever, limit: limit)
    }

    /// Cancels one of them.
    func cancel(_ entry: CurrentConfiguration, at now: Int64) throws(SQLiteError) {
        if let row = try tables.messages.row(entry.seq), row.isDeliverable(at: now) {
            try tasks.endTask(entry.seq, .cancelled, at: now)
        }
        try tables.configurations.remove(entry.seq)
    }

    // MARK: Who joins which

    /// Some current configurations that may be joined.
    struct Entries {
        /// Oldest first; as many as were asked for, unless there are no more.
        var found: ArraySlice<CurrentConfiguration>
        /// How many rows it took to find them.
        var looked: Int
    }

    /// How many configurations are looked for at a time: each target, or scope, may have them all.
    static func entering(_ targets: Int) -> Int { min(64, max(4, 512 / max(targets, 1))) }

    /// Those for a device as it is now, whatever it was before, after and before a position.
    func entries(
        for token: DeviceToken, _ membership: Membership, after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> Entries {
        var targets = [ConfigurationTable.Target(kind: .device, name: token.text)]
        if let user = membership.user, let id = try tables.users.id(of: user.number) {
            targets.append(.init(kind: .user, name: id.text))
        }
        for org in directory.tree.path(of: membership.organisation.index) {
            if let id = directory.tree[org]?.id { targets.append(.init(kind: .organisation, name: id.text)) }
        }
        var all: [CurrentConfiguration] = []
        for target in targets {
            all += try tables.configurations.entries(of: target, after: after, before: before, limit: limit)
        }
        return Entries(found: all.sorted { $0.seq < $1.seq }.prefix(limit), looked: targets.count + all.count)
    }

    /// The current configurations of some organisations, and those of apps whose scope is one of them, after and before a
    /// position.
    func entries(
        ofTargetsOrScopes orgs: [UInt32], after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> Entries {
        var all: [UInt64: CurrentConfiguration] = [:]
        var looked = 0
        for org in orgs {
            var found = try tables.configurations.entries(withScope: org, after: after, before: before, limit: limit)
            if let id = directory.tree[org]?.id {
                found += try tables.configurations.entries(
                    of: .init(kind: .organisation, name: id.text), after: after, before: before, limit: limit)
            }
            looked += 1 + found.count
            for entry in found { all[entry.seq] = entry }
        }
        return Entries(found: all.values.sorted { $0.seq < $1.seq }.prefix(limit), looked: looked)
    }

    // MARK: Joining

    /// Gives a device a current configuration of a target that it joins.
    func join(_ device: DeviceTable.Member, _ row: StoredRow, at now: Int64) throws(SQLiteError) {
        guard let counters = try receipts.receipts(at: row.seq) else { return }
        let standing = try count(device, in: row, counters) { () throws(SQLiteError) in
            try tables.wasAddressed(device.ordinal, by: row)
        }
        guard standing == .recipient else { return }
        try refer(to: row, target: .device(device.ordinal), within: nil, at: now)
    }

    /// Counts a device of a subtree that joins a configuration.
    func count(
        _ device: DeviceTable.Candidate, in row: StoredRow, _ counters: TaskReceipts, _ past: PastMembers
    ) throws(SQLiteError) {
        _ = try count(device.member, in: row, counters) { () throws(SQLiteError) in try past.include(device) }
    }

    /// Gives everybody below an organisation, who are counted, a current configuration.
    func refer(to row: StoredRow, below org: UInt32, at now: Int64) throws(SQLiteError) {
        try refer(to: row, target: .organisation(org), within: row.within, at: now)
    }

    /// Counts a device of a configuration's target once in its task, if it is for the device.
    /// - Returns: what the configuration is to the device.
    private func count(
        _ device: DeviceTable.Member, in row: StoredRow, _ counters: TaskReceipts, wasAddressed: () throws(SQLiteError) -> Bool
    ) throws(SQLiteError) -> Standing {
        let standing = row.audience.standing(of: device.membership, isBelow: directory.tree.isBelow)
        guard standing != .outside else { return .outside }
        if try !receipts.has(.joined, device.ordinal, in: counters), try !wasAddressed() {
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
        feed.reference(to: row, of: app, at: reference.seq, for: target)
    }
}
