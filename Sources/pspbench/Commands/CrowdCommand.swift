internal import ArgumentParser
internal import Libevent

/// `pspbench crowd`: is everything delivered to everybody, while others are served?
struct CrowdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crowd",
        abstract:
            "Registers devices, connects them all, sends groupcasts to all, and checks that everybody got each of them once.",
        discussion: """
            For a test server on this machine: it makes an app, an organisation and devices of its own there. The exit status is \
            0 when every device got every message exactly once, in order, and the server's own counts say the same; 1 otherwise.

            EXAMPLE
              pspbench crowd --data ./data --devices 10000 --pushes 500
            """)

    @Option(help: "The data directory of the server: where to find it, and its operators' token.")
    var data: String

    @Option(help: "How many devices.")
    var devices = 10_000

    @Option(help: "How many groupcasts, one after the other.")
    var groupcasts = 3

    @Option(help: "Pushes a second to single devices in the meantime; 0: none.")
    var pushes = 0.0

    @Option(help: "Connections a second; 0: as fast as they are answered.")
    var rate = 0.0

    @Option(help: "What app, organisation and devices are called; without it a new name each time.")
    var name: String?

    @Option(help: "MQTT 4 (3.1.1) or 5.")
    var mqtt = 4

    @Option(help: "How long to wait for each step, in seconds.")
    var patience = 60

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    func validate() throws {
        guard devices > 0, groupcasts > 0, pushes >= 0, rate >= 0, patience > 0, mqtt == 4 || mqtt == 5 else {
            throw ValidationError("Counts are at least 1, rates at least 0, --mqtt is 4 or 5.")
        }
    }

    func run() async throws {
        let loop = try EventLoop(name: "crowd", longestTurn: Swarm.longestTurn)
        loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let server = try RunningServer(dataDirectory: data)
        let report = try await Crowd(self, server: server, on: loop).run()
        if json { try Output.json(report) } else { report.show() }
        if !report.complete { throw ExitCode(1) }
    }
}
