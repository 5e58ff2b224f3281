package import Push

/// The organisation tree as it is now, with each subtree's counters, so that `targeted` of a push to the root sums nothing.
package final class OrgTree {
    /// Devices by what a push distinguishes.
    package struct Tally: Hashable {
        package var android = 0
        package var ios = 0
        package var testAndroid = 0
        package var testIOS = 0

        package var devices: Int { android + ios }

        /// What one device adds.
        package init(_ platform: Platform, test: Bool) {
            if platform == .android { android = 1 } else { ios = 1 }
            if test { if platform == .android { testAndroid = 1 } else { testIOS = 1 } }
        }

        /// None.
        package init() {}

        /// How many of a platform an audience takes.
        package func count(_ platform: Platform, testOnly: Bool) -> Int {
            switch platform {
            case .android: testOnly ? testAndroid : android
            case .ios: testOnly ? testIOS : ios
            }
        }

        package static func += (sum: inout Tally, other: Tally) { sum.add(other, sign: 1) }
        package static func -= (sum: inout Tally, other: Tally) { sum.add(other, sign: -1) }

        private mutating func add(_ other: Tally, sign: Int) {
            android += sign * other.android
            ios += sign * other.ios
            testAndroid += sign * other.testAndroid
            testIOS += sign * other.testIOS
        }
    }

    /// An organisation.
    package final class Node {
        package let org: UInt32
        package let id: OrgID
        package fileprivate(set) var name: String
        package fileprivate(set) var parent: UInt32?
        package fileprivate(set) var children: Set<UInt32> = []
        /// Of this organisation itself.
        package fileprivate(set) var own = Tally()
        /// Of it and of everything below it.
        package fileprivate(set) var subtree = Tally()
        /// Devices of it and of everything below it that are connected. Not stored.
        package fileprivate(set) var online = 0
        /// How many there are from it down to its deepest descendant, with both.
        package var height: Int { childHeights.count + 1 }
        /// How many of its children have each height, from 1 to that of the highest.
        private var childHeights: [Int] = []

        fileprivate func countChild(_ step: Int, height: Int) {
            while childHeights.count < height { childHeights.append(0) }
            childHeights[height - 1] += step
            while childHeights.last == 0 { childHeights.removeLast() }
        }

        package init(org: UInt32, id: OrgID, name: String) {
            self.org = org
            self.id = id
            self.name = name
        }
    }

    package private(set) var nodes: [UInt32: Node] = [:]
    private var byID: [OrgID: Node] = [:]
    /// Nodes whose own tally was changed since they were asked for.
    private var changed: Set<UInt32> = []
    /// Nodes that look otherwise than when they were last asked for, and those that are gone.
    private var touched: Set<UInt32> = []
    /// The number of the next new organisation: no number is used twice.
    package private(set) var nextOrg: UInt32 = 1

    /// A tree with nothing in it.
    package init() {}

    /// A tree as it was stored.
    /// - Parameter nextOrg: greater than every number that was ever used.
    package init(_ nodes: [(node: Node, own: Tally)], parents: [(child: UInt32, parent: UInt32)], nextOrg: UInt32) {
        for (node, own) in nodes { insert(node, own: own) }
        self.nextOrg = max(self.nextOrg, nextOrg)
        link(parents)
    }

    package subscript(id: OrgID) -> Node? { byID[id] }
    package subscript(org: UInt32) -> Node? { nodes[org] }

    // MARK: Changes

    /// Adds a root.
    package func insert(_ node: Node, own: Tally = Tally()) {
        nodes[node.org] = node
        byID[node.id] = node
        node.own = own
        node.subtree = own
        nextOrg = max(nextOrg, node.org + 1)
        touched.insert(node.org)
    }

    /// Gives a node another name.
    package func rename(_ node: Node, to name: String) {
        node.name = name
        touched.insert(node.org)
    }

    /// Hangs a node under another one, or makes it a root; counters follow.
    package func move(_ node: Node, under parent: UInt32?) {
        if let old = node.parent.flatMap({ nodes[$0] }) {
            old.children.remove(node.org)
            changeChild(of: old, from: node.height, to: nil)
            for ancestor in touch(old) {
                ancestor.subtree -= node.subtree
                ancestor.online -= node.online
            }
        }
        touched.insert(node.org)
        node.parent = parent
        if let new = parent.flatMap({ nodes[$0] }) {
            new.children.insert(node.org)
            changeChild(of: new, from: nil, to: node.height)
            for ancestor in touch(new) {
                ancestor.subtree += node.subtree
                ancestor.online += node.online
            }
        }
    }

    /// A child of a node has another height, or is there no more, or not before. So have those above it, as far as it matters.
    private func changeChild(of node: Node, from former: Int?, to height: Int?) {
        var (node, former, height) = (node, former, height)
        while true {
            let before = node.height
            if let former { node.countChild(-1, height: former) }
            if let height { node.countChild(1, height: height) }
            guard node.height != before, let parent = node.parent.flatMap({ nodes[$0] }) else { return }
            (node, former, height) = (parent, before, node.height)
        }
    }

    /// The node and everything above it, which are about to look otherwise.
    private func touch(_ node: Node) -> [Node] {
        let chain = ancestors(from: node)
        for node in chain { touched.insert(node.org) }
        return chain
    }

    /// Takes a node away that has no children.
    package func remove(_ node: Node) {
        move(node, under: nil)
        nodes[node.org] = nil
        byID[node.id] = nil
        changed.remove(node.org)
    }

    /// Counts devices of an organisation.
    package func add(_ tally: Tally, to org: UInt32) {
        guard let node = nodes[org] else { return }
        node.own += tally
        changed.insert(org)
        for ancestor in touch(node) { ancestor.subtree += tally }
    }

    /// Counts devices of an organisation no more.
    package func subtract(_ tally: Tally, from org: UInt32) {
        guard let node = nodes[org] else { return }
        node.own -= tally
        changed.insert(org)
        for ancestor in touch(node) { ancestor.subtree -= tally }
    }

    /// So many devices of an organisation more, or fewer, are connected.
    package func countOnline(_ step: Int, in org: UInt32) {
        guard let node = nodes[org] else { return }
        for ancestor in touch(node) { ancestor.online += step }
    }

    /// Nodes whose own tally was changed since the last call: they are to be written.
    package func removeChanged() -> [Node] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed.compactMap { nodes[$0] }
    }

    /// Numbers of nodes that look otherwise than at the last call, or are gone: they are to be shown.
    package func removeTouched() -> Set<UInt32> {
        guard !touched.isEmpty else { return [] }
        defer { touched.removeAll(keepingCapacity: true) }
        return touched
    }

    // MARK: Questions

    /// How deep a tree may be.
    package static let deepest = 64

    /// How many there are from the root down to a node, with both.
    package func depth(of node: Node) -> Int { ancestors(from: node).count }

    /// `node` itself, its parent, and so on to the root.
    package func ancestors(from node: Node) -> [Node] {
        var chain = [node]
        var next = node.parent
        while let parent = next.flatMap({ nodes[$0] }) {
            chain.append(parent)
            next = parent.parent
        }
        return chain
    }

    /// Numbers of `org` and of everything above it.
    package func path(of org: UInt32) -> [UInt32] { nodes[org].map { ancestors(from: $0).map(\.org) } ?? [] }

    /// Whose subtree joins a configuration for an organisation when another one has moved: who comes below the target; or,
    /// where it is the scope that is entered, what of the target has come inside.
    package func joining(_ target: OrgID, by moved: UInt32) -> UInt32? {
        guard let target = self[target]?.org else { return nil }
        if isBelow(target, moved) { return target }
        return isBelow(moved, target) ? moved : nil
    }

    /// Whether an organisation is another one or below it.
    package func isBelow(_ org: UInt32, _ ancestor: UInt32) -> Bool {
        var next: UInt32? = org
        while let current = next {
            if current == ancestor { return true }
            next = nodes[current]?.parent
        }
        return false
    }

    /// The same as ``Audience`` asks it.
    package func isBelow(_ org: OrgHandle, _ ancestor: OrgHandle) -> Bool { isBelow(org.index, ancestor.index) }

    /// Numbers of `org` and of everything below it.
    package func descendants(of org: UInt32) -> [UInt32] {
        var found: [UInt32] = []
        var frontier = [org]
        while let next = frontier.popLast() {
            found.append(next)
            if let node = nodes[next] { frontier.append(contentsOf: node.children) }
        }
        return found
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
            guard let parent = node.parent.flatMap({ nodes[$0] }) else { continue }
            parent.subtree += node.subtree
            parent.countChild(1, height: node.height)
        }
    }
}
