internal import Crypto
internal import Push

/// Changes of apps and organisations. Each is one whole call: everything that may refuse it comes before the first write.
extension Ledger {
    func apply(_ change: DirectoryChange) throws(SQLiteError) -> Result<ChangeResult, Refusal> {
        do {
            let result =
                switch change {
                case .putApp(let key, let fields, let secret): try put(key, fields, secret)
                case .putOrganisation(let id, let fields): try put(id, fields)
                case .putDevice(let token, let fields, let secret): try put(token, fields, secret)
                case .removeApp(let key): try remove(key)
                case .removeOrganisation(let id): try remove(id)
                case .removeDevice(let token): try remove(token)
                }
            directoryChanged = true
            return .success(result)
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch let error as SQLiteError {
            throw error
        } catch {
            throw SQLiteError(code: 1, message: "\(error)")
        }
    }

    // MARK: Apps

    private func put(_ key: AppKey, _ fields: AppChange, _ secretIfNew: String?) throws -> ChangeResult {
        guard var record = apps[key] else { return try create(key, fields, secretIfNew) }
        try requireScope(of: fields)
        if let name = fields.name { record.app.name = name }
        if let secret = fields.masterSecret { record.app.masterSecret = secret }
        if let interfaces = fields.interfaces { record.app.interfaces = interfaces }
        if let disabled = fields.disabled { record.app.disabled = disabled }
        switch fields.scope {
        case .keep: break
        case .clear: record.app.scope = nil
        case .set(let scope): record.app.scope = scope
        }
        try write(record)
        return .updated
    }

    private func create(_ key: AppKey, _ fields: AppChange, _ secretIfNew: String?) throws -> ChangeResult {
        guard let name = fields.name else { throw Refusal(.missingField, field: "name") }
        guard let interfaces = fields.interfaces else { throw Refusal(.missingField, field: "interfaces") }
        guard let secret = fields.masterSecret ?? secretIfNew else { throw Refusal(.missingField, field: "master_secret") }
        try requireScope(of: fields)
        let scope: OrgID? = if case .set(let scope) = fields.scope { scope } else { nil }
        let number = (try database.number("SELECT max(app) FROM app") ?? 0) + 1
        let app = App(
            key: key, name: name, masterSecret: secret, interfaces: interfaces, scope: scope, disabled: fields.disabled ?? false)
        try write(AppRecord(number: number, app: app))
        return .created(secret: secret)
    }

    private func requireScope(of fields: AppChange) throws {
        if case .set(let scope) = fields.scope, tree[scope] == nil { throw Refusal(.noSuchOrganisation, field: "org_id") }
    }

    private func write(_ record: AppRecord) throws(SQLiteError) {
        let write = try database.statement(
            """
            INSERT OR REPLACE INTO app(app, appkey, name, secret, interfaces, scope, disabled, removed)
            VALUES(?, ?, ?, ?, ?, ?, ?, 0)
            """)
        write.bind(1, record.number)
        write.bind(2, record.app.key.text)
        write.bind(3, record.app.name)
        write.bind(4, record.app.masterSecret)
        write.bind(5, Self.bits(record.app.interfaces))
        write.bind(6, record.app.scope?.text)
        write.bind(7, record.app.disabled ? 1 : 0)
        try write.run()
        apps[record.app.key] = record
        outbox.post(.app(record.app.key, record.app))
    }

    private func remove(_ key: AppKey) throws -> ChangeResult {
        guard let record = apps[key] else { throw Refusal(.noSuchApp, field: "appkey") }
        let remove = try database.statement("UPDATE app SET removed = 1 WHERE app = ?")
        remove.bind(1, record.number)
        try remove.run()
        apps[key] = nil
        outbox.post(.app(key, nil))
        return .removed
    }

    // MARK: Organisations

    private func put(_ id: OrgID, _ fields: OrganisationChange) throws -> ChangeResult {
        if tree[id] == nil && fields.name == nil { throw Refusal(.missingField, field: "name") }
        var parent: OrgTree.Node?
        if case .set(let parentID) = fields.parent {
            guard let found = tree[parentID] else { throw Refusal(.noSuchOrganisation, field: "parent_id") }
            parent = found
        }
        guard let node = tree[id] else { return try create(id, fields, under: parent) }
        if let parent, tree.isBelow(parent.org, node.org) { throw Refusal(.invalidValue, field: "parent_id") }
        if let name = fields.name, name != node.name {
            let rename = try database.statement("UPDATE org SET name = ? WHERE org = ?")
            rename.bind(1, name)
            rename.bind(2, node.org)
            try rename.run()
            node.name = name
        }
        if fields.parent != .keep, parent?.org != node.parent { try move(node, under: parent) }
        return .updated
    }

    private func create(_ id: OrgID, _ fields: OrganisationChange, under parent: OrgTree.Node?) throws -> ChangeResult {
        guard let name = fields.name else { throw Refusal(.missingField, field: "name") }
        let node = OrgTree.Node(org: tree.nextOrg, id: id, name: name)
        let insert = try database.statement("INSERT INTO org(org, org_id, name) VALUES(?, ?, ?)")
        insert.bind(1, node.org)
        insert.bind(2, id.text)
        insert.bind(3, name)
        try insert.run()
        let position = nextPosition()
        try openParent(of: node.org, parent?.org, at: position)
        tree.insert(node)
        tree.move(node, under: parent?.org)
        postParent(of: node, at: position)
        return .created(secret: nil)
    }

    private func move(_ node: OrgTree.Node, under parent: OrgTree.Node?) throws(SQLiteError) {
        let before = Set(tree.path(of: node.org))
        let position = nextPosition()
        try closeParent(of: node.org, at: position)
        try openParent(of: node.org, parent?.org, at: position)
        tree.move(node, under: parent?.org)
        postParent(of: node, at: position)

        let joined = tree.path(of: node.org).filter { !before.contains($0) }
        var configurations: [UInt64: StoredRow] = [:]
        for org in joined {
            for row in try current(ofOrganisation: org) + current(within: org) { configurations[row.seq] = row }
        }
        // In their own order, whichever way each is joined.
        for row in configurations.values.sorted(by: { $0.seq < $1.seq }) {
            if row.target.kind == .organisation && joined.contains(UInt32(truncatingIfNeeded: row.target.id)) {
                try join(subtree: node.org, row)
            } else {
                try enterScope(of: row, node)
            }
        }
    }

    /// What lies below `node` has come inside the scope of a configuration's app: who is in the target already receives it now.
    private func enterScope(of row: StoredRow, _ node: OrgTree.Node) throws(SQLiteError) {
        switch row.target.kind {
        case .organisation:
            let target = UInt32(truncatingIfNeeded: row.target.id)
            if tree.isBelow(target, node.org) {
                try join(subtree: target, row)
            } else if tree.isBelow(node.org, target) {
                try join(subtree: node.org, row)
            }
        case .user:
            for device in try devices(of: row.target.id)
            where tree.isBelow(device.membership.organisation.index, node.org) { try join(device, [row]) }
        case .device, nil:
            guard let token = try token(of: UInt32(truncatingIfNeeded: row.target.id)), let device = try device(token),
                tree.isBelow(device.org, node.org)
            else { return }
            try join(device.member, [row])
        }
    }

    private func remove(_ id: OrgID) throws -> ChangeResult {
        guard let node = tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        guard node.own.devices == 0, node.children.isEmpty else { throw Refusal(.organisationInUse, field: "org_id") }
        for row in try current(ConfigTarget(kind: .organisation, name: id.text)) { try end(row.seq, .cancelled) }
        let forget = try database.statement("DELETE FROM current_config WHERE kind = ? AND target = ?")
        forget.bind(1, TargetKey.Kind.organisation.rawValue)
        forget.bind(2, id.text)
        try forget.run()
        let remove = try database.statement("UPDATE org SET removed = 1 WHERE org = ?")
        remove.bind(1, node.org)
        try remove.run()
        try closeParent(of: node.org, at: nextPosition())
        tree.remove(node)
        return .removed
    }

    func current(ofOrganisation org: UInt32) throws(SQLiteError) -> [StoredRow] {
        guard let node = tree[org] else { return [] }
        return try current(ConfigTarget(kind: .organisation, name: node.id.text))
    }

    private func openParent(of org: UInt32, _ parent: UInt32?, at position: UInt64) throws(SQLiteError) {
        let open = try database.statement("INSERT INTO org_parent(org, from_seq, to_seq, parent) VALUES(?, ?, ?, ?)")
        open.bind(1, org)
        open.bind(2, position)
        open.bind(3, Schema.forever)
        open.bind(4, parent.map(Int64.init))
        try open.run()
    }

    private func closeParent(of org: UInt32, at position: UInt64) throws(SQLiteError) {
        let close = try database.statement("UPDATE org_parent SET to_seq = ? WHERE org = ? AND to_seq = 9223372036854775807")
        close.bind(1, position)
        close.bind(2, org)
        try close.run()
    }

    private func postParent(of node: OrgTree.Node, at position: UInt64) {
        outbox.post(
            .organisation(
                OrgHandle(index: node.org), parent: node.parent.map { OrgHandle(index: $0) }, at: Position(raw: position)))
    }
}

extension Sequence {
    /// `flatMap` with typed errors.
    func flatMapRows(_ rows: (Element) throws(SQLiteError) -> [StoredRow]) throws(SQLiteError) -> [StoredRow] {
        var all: [StoredRow] = []
        for element in self { all += try rows(element) }
        return all
    }
}

/// What operators look at.
extension Ledger {
    /// Organisations with their subtrees' counters.
    func organisations(_ orgs: [UInt32]) -> [Organisation] {
        var online: [UInt32: Int] = [:]
        for session in sessions.byOrdinal.values {
            for org in tree.path(of: session.organisation) { online[org, default: 0] += 1 }
        }
        return orgs.compactMap { org in
            guard let node = tree[org] else { return nil }
            return Organisation(
                id: node.id, name: node.name, parent: node.parent.flatMap { tree[$0]?.id }, devices: node.subtree.devices,
                online: online[org] ?? 0)
        }
    }

    func name(ofUser user: Int64) throws(SQLiteError) -> UserID? {
        let query = try database.statement("SELECT user_id FROM holder WHERE user = ?")
        query.bind(1, user)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return UserID(unchecked: query.text(0))
    }
}
