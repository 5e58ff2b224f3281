internal import Base
internal import Foundation

/// Swarms in processes of their own, for more devices than one process may have descriptors. Orders go to all of them, reports are added up.
final class SwarmFleet: SwarmHost {
    private let members: [FleetMember]

    /// Starts the processes: this program again, each with its share of the devices.
    ///
    /// - Parameter arguments: the flags of one swarm, without `--count`, `--first` and `--rate`.
    init(count: Int, first: Int, rate: Double, processes: Int, arguments: [String]) throws {
        members = try (0..<processes).map { index in
            let (begin, end) = (count * index / processes, count * (index + 1) / processes)
            let share = Double(end - begin) / Double(count)
            return try FleetMember(
                devices: end - begin,
                arguments: ["--count", "\(end - begin)", "--first", "\(first + begin)", "--rate", "\(rate * share)"] + arguments)
        }
    }

    func perform(_ order: Order) async throws -> SwarmReport {
        switch order {
        case .wait(.total(let count), let seconds): return try await waitForTotal(count, seconds)
        case .stall(let count):
            var left = count
            for member in members {
                try member.send(.stall(min(left, member.devices)))
                left -= min(left, member.devices)
            }
        default:
            for member in members { try member.send(order) }
        }
        return SwarmReport.sum(try members.map { try $0.receive() }, withBuckets: order == .report)
    }

    func finish() async throws {
        for member in members { try member.finish() }
    }

    /// No member knows the others' counts, so they are asked again and again.
    private func waitForTotal(_ count: Int, _ seconds: Int) async throws -> SwarmReport {
        let deadline = MonotonicClock.microseconds + Int64(seconds) * 1_000_000
        while true {
            var report = try await perform(.count)
            report.reached = report.tally.received >= count
            if report.reached == true || MonotonicClock.microseconds > deadline { return report }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

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

extension SwarmReport {
    /// Several reports as one; percentiles from the added histograms, and therefore only where these are at hand.
    static func sum(_ parts: [SwarmReport], withBuckets: Bool) -> SwarmReport {
        var sum = SwarmReport(devices: 0, tally: Tally(), satisfied: 0)
        var latencies = Latencies()
        for part in parts {
            sum.devices += part.devices
            sum.tally.add(part.tally)
            sum.satisfied += part.satisfied
            latencies.add(part.buckets ?? [])
            if let own = part.own { sum.own = sum.own.map { $0 + own } ?? own }
            if let reached = part.reached { sum.reached = (sum.reached ?? true) && reached }
        }
        sum.latency = latencies.summary
        if withBuckets { sum.buckets = latencies.buckets }
        return sum
    }
}
