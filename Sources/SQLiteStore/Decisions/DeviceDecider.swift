internal import Crypto
internal import Push
internal import StoreCore

/// Changes of devices: registering, moving, holders, test mode, secrets. A holder is an ordinal; a new holder is a new one.
final class DeviceDecider {
    private let tables: Tables
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let facts: FactBook
    private let sessions: SessionRegistry
    private let configurations: ConfigurationDecider
    private let feed: Feed

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ facts: FactBook, _ sessions: SessionRegistry,
        _ configurations: ConfigurationDecider, _ feed: Feed
    ) {
        self.tables = tables
        self.log = log
        self.directory = directory
        self.facts = facts
        self.sessions = sessions
        self.configurations = configurations
        self.feed = feed
    }

    func put(_ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?, at now: Int64) throws -> ChangeResult {
        directory.forgetAddressee(token)
        guard let device = try tables.devices.find(token) else { return try create(token, fields, secretIfNew, at: now) }
        let before = device.membership
        let organisation = try fields.organisation.map(handle(of:))
        if let platform = fields.platform, platform != before.platform {
            throw Refusal(.invalidValue, field: "platform", .expected(.unchanged(before.platform.rawValue)))
        }
        let user: UserHandle? =
            switch fields.user {
            case .keep: before.user
            case .clear: nil
            case .set(let id): try handle(of: id)
            }
        let after = Membership(
            organisation: organisation ?? before.organisation, user: user, platform: before.platform,
            test: fields.test ?? before.test)
        // The same secret again is no change, and closes no connection: an import may be repeated.
        let verifier = fields.secret.map { Array($0.utf8) }.flatMap { secret in
            device.verifier.accepts(secret) ? nil : SecretVerifier(secret: secret)
        }

        if before.user != nil && user != before.user {
            // A change of holder: what was pending is the old holder's, and is withdrawn.
            try retire(device.member, at: now)
            try register(token, after, verifier ?? device.verifier, at: now)
            return .updated
        }
        if before != after { try change(device.ordinal, token, from: before, to: after, at: now) }
        if let verifier {
            try tables.devices.setSecret(device.ordinal, verifier)
            feed.close(device.ordinal, .withdrawn)
        }
        return .updated
    }

    private func create(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?, at now: Int64
    ) throws -> ChangeResult {
        let (platform, id, secret) = try fields.required(secretIfNew: secretIfNew)
        let organisation = try handle(of: id)
        let user: UserHandle? = if case .set(let id) = fields.user { try handle(of: id) } else { nil }
        let membership = Membership(
            organisation: organisation, user: user, platform: platform, test: fields.test ?? false)
        try register(token, membership, SecretVerifier(secret: Array(secret.utf8)), at: now)
        return .created(secret: secret)
    }

    func remove(_ token: DeviceToken, at now: Int64) throws -> ChangeResult {
        directory.forgetAddressee(token)
        guard let device = try tables.devices.find(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
        try retire(device.member, at: now)
        return .removed
    }

    // MARK: Holders

    /// A new holder's device: it joins everything that it belongs to.
    private func register(
        _ token: DeviceToken, _ membership: Membership, _ verifier: SecretVerifier, at now: Int64
    ) throws(SQLiteError) {
        let ordinal = directory.takeOrdinal()
        let position = log.takePosition()
        try tables.devices.insert(ordinal, token, membership, verifier, at: position)
        directory.tree.add(OrgTree.Tally(membership.platform, test: membership.test), to: membership.organisation.index)
        try facts.cursors.settle(ordinal, nil, upTo: position)
        try configurations.join(
            DeviceTable.Member(ordinal: ordinal, membership: membership),
            try configurations.current(for: token, membership, at: now), at: now)
    }

    /// The holder is gone: everything pending is withdrawn, and the connection is closed.
    private func retire(_ device: DeviceTable.Member, at now: Int64) throws(SQLiteError) {
        try withdraw(device.ordinal, at: now) { _ in true }
        let membership = device.membership
        try tables.devices.retire(device.ordinal, at: log.takePosition())
        directory.tree.subtract(
            OrgTree.Tally(membership.platform, test: membership.test), from: membership.organisation.index)
        feed.close(device.ordinal, .withdrawn)
    }

    /// Marks what is pending for a device as withdrawn.
    private func withdraw(
        _ ordinal: UInt32, at now: Int64, where isConcerned: (StoredRow) -> Bool
    ) throws(SQLiteError) {
        let pending = PendingQuery(tables: tables, view: log.view, now: now)
        let settled = Set(try facts.cursors.positionsBeyond(ordinal))
        var after = try facts.cursors.cursor(of: ordinal)
        while after < log.head {
            guard let page = try pending.rows(for: ordinal, after: after, limit: 256) else { return }
            for (seq, _, row) in page.rows where !settled.contains(seq) && isConcerned(row) {
                try facts.receipts.settle(.withdrawn, ordinal, at: row.seq, now: now)
            }
            after = page.lookedUpTo
        }
    }

    // MARK: The same holder elsewhere

    private func change(
        _ ordinal: UInt32, _ token: DeviceToken, from before: Membership, to after: Membership, at now: Int64
    ) throws(SQLiteError) {
        // Before the change takes its position: what is pending in test mode is found by the membership that still holds.
        if before.test && !after.test { try withdraw(ordinal, at: now) { $0.isTestOnly } }
        let position = log.takePosition()
        try tables.devices.change(ordinal, from: before, to: after, at: position)
        directory.tree.subtract(OrgTree.Tally(before.platform, test: before.test), from: before.organisation.index)
        directory.tree.add(OrgTree.Tally(after.platform, test: after.test), to: after.organisation.index)
        sessions[ordinal]?.organisation = after.organisation.index
        feed.membership(of: ordinal, after, at: position)
        try configurations.join(
            DeviceTable.Member(ordinal: ordinal, membership: after), try joined(token, from: before, to: after, at: now), at: now)
    }

    /// Current configurations that are for a device as it is after a change, and were not for it as it was before.
    private func joined(
        _ token: DeviceToken, from before: Membership, to after: Membership, at now: Int64
    ) throws(SQLiteError) -> [StoredRow] {
        let old = Set(directory.tree.path(of: before.organisation.index))
        return try configurations.current(for: token, after, at: now).filter { row in
            if row.isTestOnly && !before.test { return true }
            if let within = row.within, !old.contains(within) { return true }
            return switch row.target.kind {
            case .user: before.user != after.user
            case .organisation: !old.contains(row.target.shortID)
            case .device, nil: false
            }
        }
    }

    // MARK: Names

    private func handle(of id: OrgID) throws(Refusal) -> OrgHandle {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        return OrgHandle(index: node.org)
    }

    /// A user's number, given to it when a device names it for the first time.
    private func handle(of id: UserID) throws(SQLiteError) -> UserHandle {
        let number = if let known = try tables.users.number(of: id) { known } else { try tables.users.insert(id) }
        return UserHandle(raw: UInt64(number))
    }
}
