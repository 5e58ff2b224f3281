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

    /// Takes the current configurations of an organisation that is deleted away. They are still to be cancelled.
    /// - Returns: their positions, oldest first.
    func remove(ofOrganisation id: OrgID) throws(SQLiteError) -> [UInt64] {
        let target = ConfigurationTable.Target(kind: .organisation, name: id.text)
        let positions = try tables.configurations.entries(of: target).map(\.seq)
        try tables.configurations.remove(allOf: target)
        return positions
    }

    // MARK: Who joins which

    /// Positions of the current configurations that are for a device as it is now and were not as it was before, oldest first.
    /// - Parameter before: `nil` for a new holder's device.
    func joined(
        by token: DeviceToken, from before: Membership?, to after: Membership
    ) throws(SQLiteError) -> [UInt64] {
        let tree = directory.tree
        let old = Set(before.map { tree.path(of: $0.organisation.index) } ?? [])
        let new = tree.path(of: after.organisation.index)
        var found: [UInt64] = []
        func join(_ target: ConfigurationTable.Target, isNew: Bool) throws(SQLiteError) {
            for entry in try tables.configurations.entries(of: target) {
                if entry.testOnly && !after.test { continue }
                if let within = entry.within, !new.contains(within) { continue }
                let hasEntered = entry.within.map { !old.contains($0) } ?? false
                let isNewForTests = entry.testOnly && !(before?.test ?? false)
                if isNew || hasEntered || isNewForTests { found.append(entry.seq) }
            }
        }
        try join(.init(kind: .device, name: token.text), isNew: before == nil)
        if let user = after.user, let id = try tables.users.id(of: user.number) {
            try join(.init(kind: .user, name: id.text), isNew: before?.user != user)
        }
        for org in new {
            guard let id = tree[org]?.id else { continue }
            try join(.init(kind: .organisation, name: id.text), isNew: !old.contains(org))
        }
        return found.sorted()
    }

    /// The current configurations of some organisations, and those of apps whose scope is one of them, after and before a
    /// position, oldest first.
    func entries(
        ofTargetsOrScopes orgs: [UInt32], after: UInt64, before: UInt64, limit: Int
    ) throws(SQLiteError) -> ArraySlice<ConfigurationTable.Entry> {
        var found: [UInt64: ConfigurationTable.Entry] = [:]
        for org in orgs {
            for entry in try tables.configurations.entries(withScope: org, after: after, before: before, limit: limit) {
                found[entry.seq] = entry
            }
            guard let id = directory.tree[org]?.id else { continue }
            for entry in try tables.configurations.entries(of: .init(kind: .organisation, name: id.text))
            where after < entry.seq && entry.seq < before { found[entry.seq] = entry }
        }
        return found.values.sorted { $0.seq < $1.seq }.prefix(limit)
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
        feed.row(row, of: app, at: reference.seq, to: target)
    }
}
