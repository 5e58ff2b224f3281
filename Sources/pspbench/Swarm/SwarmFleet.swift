internal import Base

/// Swarms in processes of their own, for more devices than a process may have descriptors. Each order goes to all of them, and
/// their reports are added up.
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
