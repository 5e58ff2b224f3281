internal import Push
internal import StoreCore

/// Changes of organisations: made, renamed, moved, deleted. Who comes below an organisation by a move joins it.
final class OrganisationDecider {
    private let table: OrganisationTable
    private let devices: DeviceTable
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let configurations: ConfigurationDecider
    private let feed: Feed

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ configurations: ConfigurationDecider, _ feed: Feed
    ) {
        table = tables.organisations
        devices = tables.devices
        self.log = log
        self.directory = directory
        self.configurations = configurations
        self.feed = feed
    }

    private var tree: OrgTree { directory.tree }

    func put(_ id: OrgID, _ fields: OrganisationChange, at now: Int64) throws -> ChangeResult {
        if tree[id] == nil { _ = try fields.required() }
        var parent: OrgTree.Node?
        if case .set(let parentID) = fields.parent {
            guard let found = tree[parentID] else { throw Refusal(.noSuchOrganisation, field: "parent_id") }
            parent = found
        }
        guard let node = tree[id] else { return try create(id, fields, under: parent) }
        if let parent, tree.isBelow(parent.org, node.org) {
            throw Refusal(.invalidValue, field: "parent_id", .expected(.noCycle, Excerpt(parent.id.text)))
        }
        if let name = fields.name, name != node.name {
            try table.rename(node.org, to: name)
            node.name = name
        }
        if fields.parent != .keep, parent?.org != node.parent { try move(node, under: parent, at: now) }
        return .updated
    }

    private func create(_ id: OrgID, _ fields: OrganisationChange, under parent: OrgTree.Node?) throws -> ChangeResult {
        let name = try fields.required()
        let node = OrgTree.Node(org: tree.nextOrg, id: id, name: name)
        try table.insert(node.org, id, name: name)
        let position = log.takePosition()
        try table.openParent(of: node.org, parent?.org, at: position)
        tree.insert(node)
        tree.move(node, under: parent?.org)
        feed.organisation(node, at: position)
        return .created(secret: nil)
    }

    func remove(_ id: OrgID, at now: Int64) throws -> ChangeResult {
        guard let node = tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        guard node.own.devices == 0, node.children.isEmpty else { throw Refusal(.organisationInUse, field: "org_id") }
        try configurations.cancel(ofOrganisation: id, at: now)
        try table.remove(node.org)
        try table.closeParent(of: node.org, at: log.takePosition())
        tree.remove(node)
        return .removed
    }

    // MARK: Moving

    private func move(_ node: OrgTree.Node, under parent: OrgTree.Node?, at now: Int64) throws(SQLiteError) {
        let before = Set(tree.path(of: node.org))
        let position = log.takePosition()
        try table.closeParent(of: node.org, at: position)
        try table.openParent(of: node.org, parent?.org, at: position)
        tree.move(node, under: parent?.org)
        feed.organisation(node, at: position)

        let joined = tree.path(of: node.org).filter { !before.contains($0) }
        var rows: [UInt64: StoredRow] = [:]
        for org in joined {
            for row in try configurations.current(ofOrganisation: org, at: now) { rows[row.seq] = row }
            for row in try configurations.current(withScope: org, at: now) { rows[row.seq] = row }
        }
        // In their own order, whichever way each is joined.
        for row in rows.values.sorted(by: { $0.seq < $1.seq }) {
            if row.target.kind == .organisation && joined.contains(row.target.shortID) {
                try configurations.join(subtree: node.org, row, at: now)
            } else {
                try enterScope(of: row, node, at: now)
            }
        }
    }

    /// What lies below `node` has come inside the scope of a configuration's app: who is in the target already receives it now.
    private func enterScope(of row: StoredRow, _ node: OrgTree.Node, at now: Int64) throws(SQLiteError) {
        switch row.target.kind {
        case .organisation:
            let target = row.target.shortID
            if tree.isBelow(target, node.org) {
                try configurations.join(subtree: target, row, at: now)
            } else if tree.isBelow(node.org, target) {
                try configurations.join(subtree: node.org, row, at: now)
            }
        case .user:
            for device in try devices.members(ofUser: row.target.id) where isBelow(device, node) {
                try configurations.join(device, [row], at: now)
            }
        case .device, nil:
            guard let token = try devices.token(of: row.target.shortID), let device = try devices.find(token),
                isBelow(device.member, node)
            else { return }
            try configurations.join(device.member, [row], at: now)
        }
    }

    private func isBelow(_ device: DeviceTable.Member, _ node: OrgTree.Node) -> Bool {
        tree.isBelow(device.membership.organisation.index, node.org)
    }
}
