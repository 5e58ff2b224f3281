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
    private let followUps: FollowUps

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ facts: FactBook, _ sessions: SessionRegistry,
        _ configurations: ConfigurationDecider, _ feed: Feed, _ followUps: FollowUps
    ) {
        self.tables = tables
        self.log = log
        self.directory = directory
        self.facts = facts
        self.sessions = sessions
        self.configurations = configurations
        self.feed = feed
        self.followUps = followUps
    }

    func put(_ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?) throws -> ChangeResult {
        directory.forgetAddressee(token)
        guard let device = try tables.devices.find(token) else { return try create(token, fields, secretIfNew) }
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
            try retire(device.member)
            try register(token, after, verifier ?? device.verifier, fields.certificate.value(after: nil))
            return .updated
        }
        if before != after { try change(device.ordinal, token, from: before, to: after) }
        if let verifier { try tables.devices.setSecret(device.ordinal, verifier) }
        let certificate = fields.certificate.value(after: verifier == nil ? device.certificate : nil)
        if certificate != device.certificate { try tables.devices.setCertificate(device.ordinal, certificate) }
        // What let it in does so no more.
        let isWithdrawn = device.certificate != nil && certificate != device.certificate
        if verifier != nil || isWithdrawn { feed.close(device.ordinal, .withdrawn) }
        return .updated
    }

    private func create(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?
    ) throws -> ChangeResult {
        let (platform, id, secret) = try fields.required(secretIfNew: secretIfNew)
        let organisation = try handle(of: id)
        let user: UserHandle? = if case .set(let id) = fields.user { try handle(of: id) } else { nil }
        let membership = Membership(
            organisation: organisation, user: user, platform: platform, test: fields.test ?? false)
        try register(
            token, membership, SecretVerifier(secret: Array(secret.utf8)), fields.certificate.value(after: nil))
        return .created(secret: secret)
    }

    func remove(_ token: DeviceToken) throws -> ChangeResult {
        directory.forgetAddressee(token)
        guard let device = try tables.devices.find(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
        try retire(device.member)
        return .removed
    }

    // MARK: Holders

    /// A new holder's device: it joins everything that it belongs to.
    private func register(
        _ token: DeviceToken, _ membership: Membership, _ verifier: SecretVerifier, _ certificate: CertificateFingerprint?
    ) throws(SQLiteError) {
        let ordinal = directory.takeOrdinal()
        let position = log.takePosition()
        try tables.devices.insert(ordinal, token, membership, verifier, certificate, at: position)
        directory.tree.add(OrgTree.Tally(membership.platform, test: membership.test), to: membership.organisation.index)
        try facts.cursors.settle(ordinal, nil, upTo: position)
        followUps.append(.enterAll(device: ordinal, formerly: nil), at: position)
    }

    /// The holder is gone: the connection is closed, and everything pending is withdrawn.
    private func retire(_ device: DeviceTable.Member) throws(SQLiteError) {
        let membership = device.membership
        let position = log.takePosition()
        try tables.devices.retire(device.ordinal, at: position)
        directory.tree.subtract(
            OrgTree.Tally(membership.platform, test: membership.test), from: membership.organisation.index)
        sessions.move(device.ordinal, to: nil)
        feed.close(device.ordinal, .withdrawn)
        followUps.append(.withdraw(device: device.ordinal), at: position)
    }

    // MARK: The same holder elsewhere

    private func change(
        _ ordinal: UInt32, _ token: DeviceToken, from before: Membership, to after: Membership
    ) throws(SQLiteError) {
        let position = log.takePosition()
        try tables.devices.change(ordinal, from: before, to: after, at: position)
        directory.tree.subtract(OrgTree.Tally(before.platform, test: before.test), from: before.organisation.index)
        directory.tree.add(OrgTree.Tally(after.platform, test: after.test), to: after.organisation.index)
        sessions.move(ordinal, to: after.organisation.index)
        feed.membership(of: ordinal, after, at: position)
        if before.test && !after.test { followUps.append(.withdrawTests(device: ordinal), at: position) }
        followUps.append(.enterAll(device: ordinal, formerly: FormerMembership(before, now: after)), at: position)
    }

    // MARK: Names

    private func handle(of id: OrgID) throws(Refusal) -> OrgHandle {
        guard let node = directory.tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        return OrgHandle(index: node.org)
    }

    /// A user's number, given to it when a device names it for the first time.
    private func handle(of id: UserID) throws(SQLiteError) -> UserHandle {
        if let known = try tables.users.number(of: id) { return UserHandle(raw: UInt64(known)) }
        let number = directory.takeUser()
        try tables.users.insert(id, as: number)
        return UserHandle(raw: UInt64(number))
    }
}
