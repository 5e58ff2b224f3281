import Testing

@testable import PushServer

@Suite("Who gets how many descriptors")
struct DescriptorSharesTests {
    @Test(
        "all shares together are what there is", arguments: [(512, 1), (1_024, 2), (4_096, 8), (1_048_576, 64)], [false, true])
    func sum(machine: (openFiles: Int, loops: Int), hasTLS: Bool) {
        let shares = DescriptorShares(openFiles: machine.openFiles, loops: machine.loops, hasTLS: hasTLS)
        #expect(shares.process + shares.operators + shares.surplus + shares.connections == machine.openFiles)
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
