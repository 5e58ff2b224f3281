import Testing

@testable import PushServer

@Suite("Who gets how many descriptors")
struct DescriptorSharesTests {
    @Test("all shares together are what there is", arguments: [(512, 1), (1_024, 2), (4_096, 8), (1_048_576, 64)])
    func sum(openFiles: Int, loops: Int) {
        let shares = DescriptorShares(openFiles: openFiles, loops: loops)
        #expect(shares.process + shares.operators + shares.surplus + shares.connections == openFiles)
        #expect(shares.operators >= 64)
    }

    @Test("a server whose machine gives it next to nothing has a few connections all the same")
    func few() {
        #expect(DescriptorShares(openFiles: 64, loops: 2).connections == 16)
    }

    @Test("operators need no more than 256")
    func operators() {
        #expect(DescriptorShares(openFiles: 1_048_576, loops: 2).operators == 256)
    }
}
