internal import Foundation

/// One process of a fleet.
final class FleetMember {
    let devices: Int
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    init(devices: Int, arguments: [String]) throws {
        self.devices = devices
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["swarm", "--control"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Asks it to end, and waits until it has.
    func finish() throws {
        try send(.quit)
        _ = try receive()
        process.waitUntilExit()
    }

    func send(_ order: Order) throws { try input.fileHandleForWriting.write(contentsOf: Data((order.line + "\n").utf8)) }

    func receive() throws -> SwarmReport {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = unread[..<end]
                unread = Data(unread[(end + 1)...])
                return try JSONDecoder().decode(SwarmReport.self, from: line)
            }
            // What is there, at once: `read(upToCount:)` would wait for all that it may take.
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw BenchError("a process of the fleet has ended") }
            unread.append(more)
        }
    }
}
