internal import Push

/// The organisation tree as it is now, with each subtree's counters, so that `targeted` of a push to the root sums nothing.
/// Writer only.
final class OrgTree {
    /// Devices by what a push distinguishes.
    struct Tally: Hashable {
        var android = 0
        var ios = 0
        var testAndroid = 0
        var testIOS = 0

        var devices: Int { android + ios }

        /// What one device adds.
        init(_ platform: Platform, test: Bool) {
            if platform == .android { android = 1 } else { ios = 1 }
            if test { if platform == .android { testAndroid = 1 } else { testIOS = 1 } }
        }
        init() {}

        static func += (sum: inout Tally, other: Tally) { sum.add(other, sign: 1) }
        static func -= (sum: inout Tally, other: Tally) { sum.add(other, sign: -1) }

        private mutating func add(_ other: Tally, sign: Int) {
            android += sign * other.android
            ios += sign * other.ios
            testAndroid += sign * other.testAndroid
            testIOS += sign * other.testIOS
        }
    }

    final class Node {
        let org: UInt32
        let id: OrgID
        var name: String
        fileprivate(set) var parent: UInt32?
        fileprivate(set) var children: Set<UInt32> = []
        /// Of this organisation itself.
        fileprivate(set) var own = Tally()
        /// Of it and of everything below it.
        fileprivate(set) var subtree = Tally()

        init(org: UInt32, id: OrgID, name: String) {
            self.org = org
            self.id = id
            self.name = name
        }
    }

    private(set) var nodes: [UInt32: Node] = [:]
    private var byID: [OrgID: Node] = [:]
    /// Nodes whose own tally was changed since the last commit.
    private(set) var dirty: Set<UInt32> = []
    var nextOrg: UInt32 = 1

    subscript(id: OrgID) -> Node? { byID[id] }
    subscript(org: UInt32) -> Node? { nodes[org] }

    func insert(_ node: Node, own: Tally = Tally()) {
        nodes[node.org] = node
        byID[node.id] = node
        node.own = own
        node.subtree = own
        nextOrg = max(nextOrg, node.org + 1)
    }

    /// Hangs a node under another one, or makes it a root; counters follow.
    func move(_ node: Node, under parent: UInt32?) {
        if let old = node.parent.flatMap({ nodes[$0] }) {
            old.children.remove(node.org)
            for ancestor in ancestors(from: old) { ancestor.subtree -= node.subtree }
        }
        node.parent = parent
        if let new = parent.flatMap({ nodes[$0] }) {
            new.children.insert(node.org)
            for ancestor in ancestors(from: new) { ancestor.subtree += node.subtree }
        }
    }

    func remove(_ node: Node) {
        move(node, under: nil)
        nodes[node.org] = nil
        byID[node.id] = nil
        dirty.remove(node.org)
    }

    func add(_ tally: Tally, to org: UInt32) {
        guard let node = nodes[org] else { return }
        node.own += tally
        dirty.insert(org)
        for ancestor in ancestors(from: node) { ancestor.subtree += tally }
    }

    func subtract(_ tally: Tally, from org: UInt32) {
        guard let node = nodes[org] else { return }
        node.own -= tally
        dirty.insert(org)
        for ancestor in ancestors(from: node) { ancestor.subtree -= tally }
    }

    /// `node` itself, its parent, and so on to the root.
    func ancestors(from node: Node) -> [Node] {
        var chain = [node]
        var next = node.parent
        while let parent = next.flatMap({ nodes[$0] }) {
            chain.append(parent)
            next = parent.parent
        }
        return chain
    }

    /// Numbers of `org` and of everything above it.
    func path(of org: UInt32) -> [UInt32] { nodes[org].map { ancestors(from: $0).map(\.org) } ?? [] }

    func isBelow(_ org: UInt32, _ ancestor: UInt32) -> Bool {
        var next: UInt32? = org
        while let current = next {
            if current == ancestor { return true }
            next = nodes[current]?.parent
        }
        return false
    }

    /// Numbers of `org` and of everything below it.
    func descendants(of org: UInt32) -> [UInt32] {
        var found: [UInt32] = []
        var frontier = [org]
        while let next = frontier.popLast() {
            found.append(next)
            if let node = nodes[next] { frontier.append(contentsOf: node.children) }
        }
        return found
    }

    func takeDirty() -> Set<UInt32> {
        defer { dirty.removeAll(keepingCapacity: true) }
        return dirty
    }

    /// Reads the tree from the file.
    static func load(from database: Database) throws(SQLiteError) -> OrgTree {
        let tree = OrgTree()
        let nodes = try database.statement(
            "SELECT org, org_id, name, android, ios, test_android, test_ios FROM org WHERE removed = 0")
        while try nodes.step() {
            var own = Tally()
            own.android = Int(nodes.int(3))
            own.ios = Int(nodes.int(4))
            own.testAndroid = Int(nodes.int(5))
            own.testIOS = Int(nodes.int(6))
            tree.insert(
                Node(org: UInt32(truncatingIfNeeded: nodes.int(0)), id: OrgID(unchecked: nodes.text(1)), name: nodes.text(2)),
                own: own)
        }
        // Ever used, so that a number is never used again.
        tree.nextOrg = UInt32(truncatingIfNeeded: (try database.number("SELECT max(org) FROM org") ?? 0) + 1)
        var edges: [(UInt32, UInt32)] = []
        let parents = try database.statement(
            "SELECT org, parent FROM org_parent WHERE to_seq = 9223372036854775807 AND parent IS NOT NULL")
        while try parents.step() {
            edges.append((UInt32(truncatingIfNeeded: parents.int(0)), UInt32(truncatingIfNeeded: parents.int(1))))
        }
        tree.link(edges)
        return tree
    }

    /// Links all nodes at once: subtree counters are summed from the leaves up, each node once.
    private func link(_ edges: [(child: UInt32, parent: UInt32)]) {
        for (child, parent) in edges {
            guard let node = nodes[child], let above = nodes[parent] else { continue }
            node.parent = parent
            above.children.insert(child)
        }
        var order: [Node] = []
        var frontier = nodes.values.filter { $0.parent == nil }
        while let next = frontier.popLast() {
            order.append(next)
            frontier.append(contentsOf: next.children.compactMap { nodes[$0] })
        }
        for node in order.reversed() {
            if let parent = node.parent.flatMap({ nodes[$0] }) { parent.subtree += node.subtree }
        }
    }
}
