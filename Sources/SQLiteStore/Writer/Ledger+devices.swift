internal import Crypto
internal import Push

/// Changes of devices: registering, moving, holders, test mode, secrets. A holder is an ordinal; a new holder is a new one.
extension Ledger {
    /// What a device row says of membership.
    private struct State: Hashable {
        var org: UInt32
        var user: Int64?
        var test: Bool

        func membership(_ platform: Platform) -> Membership {
            Membership(
                organisation: OrgHandle(index: org), user: user.map { UserHandle(raw: UInt64($0)) }, platform: platform,
                test: test)
        }
    }

    func put(_ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?) throws -> ChangeResult {
        deviceCache.forget(token)
        guard let device = try device(token) else { return try create(token, fields, secretIfNew) }
        let org = try fields.organisation.map(number(of:))
        if let platform = fields.platform, platform != device.platform { throw Refusal(.invalidValue, field: "platform") }

        let user: Int64? =
            switch fields.user {
            case .keep: device.user
            case .clear: nil
            case .set(let id): try number(of: id)
            }
        let before = State(org: device.org, user: device.user, test: device.test)
        let after = State(org: org ?? device.org, user: user, test: fields.test ?? device.test)
        // The same secret again is no change, and closes no connection: an import may be repeated.
        let verifier = fields.secret.map { Array($0.utf8) }.flatMap { secret in
            device.verifier.accepts(secret) ? nil : SecretVerifier(secret: secret)
        }

        if device.user != nil && user != device.user {
            // A change of holder: what was pending is the old holder's, and is withdrawn.
            try retire(device)
            try register(token, device.platform, after, verifier ?? device.verifier)
            return .updated
        }
        if before != after { try change(device, token, from: before, to: after) }
        if let verifier {
            let write = try database.statement("UPDATE device SET salt = ?, hash = ? WHERE ordinal = ?")
            write.bind(1, verifier.salt)
            write.bind(2, verifier.digest)
            write.bind(3, device.ordinal)
            try write.run()
            close(device.ordinal, .withdrawn)
        }
        return .updated
    }

    func remove(_ token: DeviceToken) throws -> ChangeResult {
        deviceCache.forget(token)
        guard let device = try device(token) else { throw Refusal(.noSuchDevice, field: "device_token") }
        try retire(device)
        return .removed
    }

    private func create(
        _ token: DeviceToken, _ fields: DeviceChange, _ secretIfNew: String?
    ) throws -> ChangeResult {
        guard let platform = fields.platform else { throw Refusal(.missingField, field: "platform") }
        guard let organisation = fields.organisation else { throw Refusal(.missingField, field: "org_id") }
        guard let secret = fields.secret ?? secretIfNew else { throw Refusal(.missingField, field: "secret") }
        let org = try number(of: organisation)
        let user: Int64? = if case .set(let id) = fields.user { try number(of: id) } else { nil }
        try register(
            token, platform, State(org: org, user: user, test: fields.test ?? false), SecretVerifier(secret: Array(secret.utf8)))
        return .created(secret: secret)
    }

    /// A new holder's device: it joins everything that it belongs to.
    private func register(
        _ token: DeviceToken, _ platform: Platform, _ state: State, _ verifier: SecretVerifier
    ) throws(SQLiteError) {
        let ordinal = nextOrdinal
        nextOrdinal += 1
        let position = nextPosition()
        let insert = try database.statement(
            """
            INSERT INTO device(ordinal, key, token, platform, org, org_since, user, user_since, test, test_since, created_seq,
              retired_seq, salt, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, ordinal)
        insert.bind(2, StableHash.of(token.text))
        insert.bind(3, token.text)
        insert.bind(4, platform == .android ? 0 : 1)
        insert.bind(5, state.org)
        insert.bind(6, position)
        insert.bind(7, state.user)
        insert.bind(8, position)
        insert.bind(9, state.test ? 1 : 0)
        insert.bind(10, position)
        insert.bind(11, position)
        insert.bind(12, Schema.forever)
        insert.bind(13, verifier.salt)
        insert.bind(14, verifier.digest)
        try insert.run()
        tree.add(OrgTree.Tally(platform, test: state.test), to: state.org)
        try cursors.settle(ordinal, nil, upTo: position)

        var joined = try current(ConfigTarget(kind: .device, name: token.text))
        if let user = state.user { joined += try currentOfUser(user) }
        joined += try tree.path(of: state.org).flatMapRows { org throws(SQLiteError) in try current(ofOrganisation: org) }
        try join(Member(ordinal: ordinal, membership: state.membership(platform)), joined)
    }

    /// The holder is gone: everything pending is withdrawn, and the connection is closed.
    private func retire(_ device: FoundDevice) throws(SQLiteError) {
        try withdraw(device.ordinal) { _ in true }
        let position = nextPosition()
        let retire = try database.statement("UPDATE device SET retired_seq = ? WHERE ordinal = ?")
        retire.bind(1, position)
        retire.bind(2, device.ordinal)
        try retire.run()
        tree.subtract(OrgTree.Tally(device.platform, test: device.test), from: device.org)
        close(device.ordinal, .withdrawn)
    }

    private func change(
        _ device: FoundDevice, _ token: DeviceToken, from before: State, to after: State
    ) throws(SQLiteError) {
        // Before the change takes its position: what is pending in test mode is found by the membership that still holds.
        if before.test && !after.test { try withdraw(device.ordinal) { $0.isTestOnly } }
        let position = nextPosition()
        try writeHistory(device.ordinal, from: before, to: after, at: position)
        tree.subtract(OrgTree.Tally(device.platform, test: before.test), from: before.org)
        tree.add(OrgTree.Tally(device.platform, test: after.test), to: after.org)
        let membership = after.membership(device.platform)
        if let session = sessions[device.ordinal] {
            sessions[device.ordinal]?.organisation = after.org
            outbox.post(
                .membership(DeviceHandle(ordinal: device.ordinal), membership, at: Position(raw: position)), to: session.loop)
        }
        try join(Member(ordinal: device.ordinal, membership: membership), try joined(token, from: before, to: after))
    }

    /// Current configurations that are for a device as it is after a change, and were not for it as it was before.
    private func joined(_ token: DeviceToken, from before: State, to after: State) throws(SQLiteError) -> [StoredRow] {
        let (old, new) = (Set(tree.path(of: before.org)), tree.path(of: after.org))
        var candidates = try current(ConfigTarget(kind: .device, name: token.text))
        if let user = after.user { candidates += try currentOfUser(user) }
        candidates += try new.flatMapRows { org throws(SQLiteError) in try current(ofOrganisation: org) }
        return candidates.filter { row in
            if row.isTestOnly && !before.test { return true }
            if let within = row.within, !old.contains(within) { return true }
            return switch row.target.kind {
            case .user: before.user != after.user
            case .organisation: !old.contains(UInt32(truncatingIfNeeded: row.target.id))
            case .device, nil: false
            }
        }
    }

    private func writeHistory(
        _ ordinal: UInt32, from before: State, to after: State, at position: UInt64
    ) throws(SQLiteError) {
        if before.org != after.org {
            let past = try database.statement(
                "INSERT INTO past_org(ordinal, from_seq, to_seq, org) SELECT ordinal, org_since, ?, org FROM device WHERE ordinal = ?"
            )
            past.bind(1, position)
            past.bind(2, ordinal)
            try past.run()
            let write = try database.statement("UPDATE device SET org = ?, org_since = ? WHERE ordinal = ?")
            write.bind(1, after.org)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
        if before.user != after.user {
            // The first assignment: there is no past to keep. Any other is a change of holder.
            let write = try database.statement("UPDATE device SET user = ?, user_since = ? WHERE ordinal = ?")
            write.bind(1, after.user)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
        if before.test != after.test {
            if before.test {
                let past = try database.statement(
                    "INSERT INTO past_test(ordinal, from_seq, to_seq) SELECT ordinal, test_since, ? FROM device WHERE ordinal = ?"
                )
                past.bind(1, position)
                past.bind(2, ordinal)
                try past.run()
            }
            let write = try database.statement("UPDATE device SET test = ?, test_since = ? WHERE ordinal = ?")
            write.bind(1, after.test ? 1 : 0)
            write.bind(2, position)
            write.bind(3, ordinal)
            try write.run()
        }
    }

    /// Marks what is pending for a device as withdrawn.
    private func withdraw(_ ordinal: UInt32, where isConcerned: (StoredRow) -> Bool) throws(SQLiteError) {
        let pending = PendingQuery(database: database, view: view, now: now)
        let settled = Set(try cursors.positionsBeyond(ordinal))
        var after = try cursors.cursor(of: ordinal)
        while after < head {
            guard let page = try pending.rows(for: ordinal, after: after, limit: 256) else { return }
            for (seq, _, row) in page.rows where !settled.contains(seq) && isConcerned(row) {
                try receipts.settle(.withdrawn, ordinal, at: row.seq, now: now)
            }
            after = page.lookedUpTo
        }
    }

    private func currentOfUser(_ user: Int64) throws(SQLiteError) -> [StoredRow] {
        let query = try database.statement("SELECT user_id FROM holder WHERE user = ?")
        query.bind(1, user)
        guard try query.step() else { return [] }
        let name = query.text(0)
        query.reset()
        return try current(ConfigTarget(kind: .user, name: name))
    }

    private func number(of id: OrgID) throws -> UInt32 {
        guard let node = tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        return node.org
    }

    /// A user's number, given to it when a device names it for the first time.
    private func number(of id: UserID) throws(SQLiteError) -> Int64 {
        if let known = try user(id) { return known }
        let insert = try database.statement("INSERT INTO holder(user_id) VALUES(?)")
        insert.bind(1, id.text)
        try insert.run()
        return try database.number("SELECT last_insert_rowid()") ?? 0
    }
}
