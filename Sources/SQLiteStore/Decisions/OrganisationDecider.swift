internal import Base
internal import Push
internal import StoreCore

/// Changes of organisations: made, renamed, moved, deleted. Who comes below an organisation by a move joins it.
final class OrganisationDecider {
    private let table: OrganisationTable
    private let log: MessageLog
    private let directory: DirectoryMemory
    private let operators: OperatorMemory
    private let configurations: ConfigurationDecider
    private let feed: Feed
    private let followUps: FollowUps

    init(
        _ tables: Tables, _ log: MessageLog, _ directory: DirectoryMemory, _ operators: OperatorMemory,
        _ configurations: ConfigurationDecider, _ feed: Feed, _ followUps: FollowUps
    ) {
        table = tables.organisations
        self.log = log
        self.directory = directory
        self.operators = operators
        self.configurations = configurations
        self.feed = feed
        self.followUps = followUps
    }

    private var tree: OrgTree { directory.tree }

    func put(_ id: OrgID, _ fields: OrganisationChange) throws -> ChangeResult {
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
        if fields.parent != .keep { try requireDepth(of: node, under: parent) }
        if let name = fields.name, ExactText(name) != ExactText(node.name) {
            try table.rename(node.org, to: name)
            tree.rename(node, to: name)
        }
        if fields.parent != .keep, parent?.org != node.parent { try move(node, under: parent) }
        return .updated
    }

    private func create(_ id: OrgID, _ fields: OrganisationChange, under parent: OrgTree.Node?) throws -> ChangeResult {
        let name = try fields.required()
        try requireDepth(of: nil, under: parent)
        let node = OrgTree.Node(org: tree.nextOrg, id: id, name: name)
        try table.insert(node.org, id, name: name)
        let position = log.takePosition()
        try table.openParent(of: node.org, parent?.org, at: position)
        tree.insert(node)
        tree.move(node, under: parent?.org)
        feed.organisation(node, at: position)
        return .created(secret: nil)
    }

    /// Everything that asks what is above an organisation goes up to the root.
    private func requireDepth(of node: OrgTree.Node?, under parent: OrgTree.Node?) throws(Refusal) {
        guard let parent else { return }
        let depth = tree.depth(of: parent) + (node?.height ?? 1)
        guard depth <= OrgTree.deepest else {
            throw Refusal(.invalidValue, field: "parent_id", .expected(.depth(OrgTree.deepest)))
        }
    }

    /// - Parameter namesHolders: whether the caller may learn which app or operator has it for its scope.
    func remove(_ id: OrgID, namingHolders namesHolders: Bool) throws -> ChangeResult {
        guard let node = tree[id] else { throw Refusal(.noSuchOrganisation, field: "org_id") }
        guard node.own.devices == 0, node.children.isEmpty else {
            let held = Refusal.Detail.holding(devices: Int(node.own.devices), children: node.children.count)
            throw Refusal(.organisationInUse, field: "org_id", held)
        }
        // Whoever made an organisation of that name anew, elsewhere, would open it to the app, or to the operator.
        if let app = directory.app(withScope: id) {
            throw Refusal(.organisationInUse, field: "org_id", namesHolders ? .scopeOf(app) : nil)
        }
        if let name = operators.book.name(withScope: id) {
            throw Refusal(.organisationInUse, field: "org_id", namesHolders ? .scopeOfOperator(name) : nil)
        }
        let hasConfigurations = try configurations.isAny(ofOrganisation: id)
        try table.remove(node.org)
        let position = log.takePosition()
        try table.closeParent(of: node.org, at: position)
        tree.remove(node)
        if hasConfigurations { followUps.append(.cancelAll(ofOrganisation: node.org), at: position) }
        return .removed
    }

    private func move(_ node: OrgTree.Node, under parent: OrgTree.Node?) throws(SQLiteError) {
        let former = node.parent
        let position = log.takePosition()
        try table.closeParent(of: node.org, at: position)
        try table.openParent(of: node.org, parent?.org, at: position)
        tree.move(node, under: parent?.org)
        feed.organisation(node, at: position)
        if parent != nil { followUps.append(.enter(organisation: node.org, formerParent: former ?? 0), at: position) }
    }
}
