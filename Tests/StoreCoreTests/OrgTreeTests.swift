import Push
import StoreCore
import Testing

@Suite("The organisation tree")
struct OrgTreeTests {
    /// By looking at all that is below.
    private func height(_ node: OrgTree.Node, in tree: OrgTree) -> Int {
        1 + (node.children.compactMap { tree[$0] }.map { height($0, in: tree) }.max() ?? 0)
    }

    @Test("each node knows how deep it goes below, however the tree is changed")
    func heights() {
        var random = SystemRandomNumberGenerator()
        let tree = OrgTree()
        for number in 1...UInt32(60) {
            tree.insert(OrgTree.Node(org: number, id: OrgID(unchecked: "o\(number)"), name: ""))
        }
        for _ in 0..<1_000 {
            guard let node = tree.nodes.values.randomElement(using: &random) else { break }
            let parent = Bool.random(using: &random) ? tree.nodes.keys.randomElement(using: &random) : nil
            if let parent, tree.isBelow(parent, node.org) { continue }
            tree.move(node, under: parent)
            #expect(tree.nodes.values.allSatisfy { $0.height == height($0, in: tree) })
        }
        let copy = OrgTree(
            tree.nodes.values.map { (OrgTree.Node(org: $0.org, id: $0.id, name: ""), OrgTree.Tally()) },
            parents: tree.nodes.values.compactMap { node in node.parent.map { (node.org, $0) } }, nextOrg: tree.nextOrg)
        #expect(tree.nodes.values.allSatisfy { copy[$0.org]?.height == $0.height })
    }
}
