internal import Push

/// A loop's replica of the organisation tree, kept true by the feed's entries.
struct OrganisationTree {
    private struct Node {
        var parent: OrgHandle?
        var children: [OrgHandle] = []
    }

    private var nodes: [OrgHandle: Node] = [:]
    /// Subtrees that were asked for since the tree last changed.
    private var subtrees: [OrgHandle: Subtree] = [:]

    init() {}

    /// The tree of a snapshot.
    init(_ organisations: [(handle: OrgHandle, parent: OrgHandle?)]) {
        nodes.reserveCapacity(organisations.count)
        for organisation in organisations { nodes[organisation.handle] = Node(parent: organisation.parent) }
        for organisation in organisations {
            if let parent = organisation.parent { nodes[parent, default: Node()].children.append(organisation.handle) }
        }
    }

    /// Adds an organisation, or gives it another parent.
    /// - Returns: whether it was there and has moved: then the targets of what is below it have changed.
    mutating func set(_ organisation: OrgHandle, parent: OrgHandle?) -> Bool {
        let old = nodes[organisation]
        if let old, old.parent == parent { return false }
        if let former = old?.parent { nodes[former]?.children.removeAll { $0 == organisation } }
        nodes[organisation, default: Node()].parent = parent
        if let parent { nodes[parent, default: Node()].children.append(organisation) }
        subtrees.removeAll()
        return old != nil
    }

    /// That organisation and what it is below, from the near to the far.
    func forEachAncestor(of organisation: OrgHandle, _ body: (OrgHandle) -> Void) {
        var current: OrgHandle? = organisation
        // The store admits no cycle; the bound keeps a loop alive should one ever come.
        var steps = nodes.count + 1
        while let organisation = current, steps > 0 {
            body(organisation)
            current = nodes[organisation]?.parent
            steps -= 1
        }
    }

    /// That organisation and everything below it, as it is now.
    mutating func subtree(_ root: OrgHandle) -> Subtree {
        if let known = subtrees[root] { return known }
        var found: Set<OrgHandle> = [root]
        var organisations = [root]
        var index = 0
        while index < organisations.count {
            for child in nodes[organisations[index]]?.children ?? [] where found.insert(child).inserted {
                organisations.append(child)
            }
            index += 1
        }
        let subtree = Subtree(organisations)
        if subtrees.count >= 1024 { subtrees.removeAll() }
        subtrees[root] = subtree
        return subtree
    }
}

/// The organisations of a subtree at one position of the log. Shared by the rows that address it, and asked once for each
/// session.
final class Subtree {
    let organisations: [OrgHandle]
    private let bits: [UInt64]

    init(_ organisations: [OrgHandle]) {
        self.organisations = organisations
        let highest = organisations.reduce(0) { max($0, $1.index) }
        var bits = [UInt64](repeating: 0, count: Int(highest >> 6) + 1)
        for organisation in organisations { bits[Int(organisation.index >> 6)] |= 1 << UInt64(organisation.index & 63) }
        self.bits = bits
    }

    func contains(_ organisation: OrgHandle) -> Bool {
        let word = Int(organisation.index >> 6)
        return word < bits.count && bits[word] & (1 << UInt64(organisation.index & 63)) != 0
    }
}
