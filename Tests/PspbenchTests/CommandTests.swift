import ArgumentParser
import Testing

@testable import pspbench

@Suite("The command line")
struct CommandTests {
    @Test("no two options of a command have one name")
    func names() throws {
        // Where two have, the parser does not begin.
        let swarm = try SwarmCommand.parse(["--stall", "1", "--stall-time", "2", "--resume", "--to", "127.0.0.1:1"])
        #expect(swarm.stall == 1 && swarm.stallTime == 2 && swarm.options.resume)
    }
}
