internal import ArgumentParser
internal import Libevent

/// The flags that describe a load.
struct LoadOptions: ParsableArguments {
    @Option(help: "The server: host and port.")
    var to: String

    @Option(help: "Connections that send at the same time.")
    var connections = 64

    @Option(help: "Messages that a connection may have unanswered.")
    var inFlight = 1

    @Option(help: "How many messages; without it, as many as --duration allows.")
    var count: Int?

    @Option(help: "How long to send, in seconds.")
    var duration = 10

    @Option(help: "Messages a second; 0: each as soon as the answer to the last has come.")
    var rate = 0.0

    @Option(help: "How many devices, taken in turn.")
    var targets = 1

    @Option(help: "The first device's number.")
    var first = 0

    @Option(help: "The first message's sequence number.")
    var sequence: UInt32 = 1

    @Option(help: "The process to be measured.")
    var watch: Int32?

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    func validate() throws {
        guard connections > 0, inFlight > 0, count ?? 1 > 0, duration > 0, rate >= 0, targets > 0, first >= 0 else {
            throw ValidationError("Counts are at least 1, --rate and --first at least 0.")
        }
    }

    func plan() throws -> LoadPlan {
        var plan = LoadPlan(address: try SocketAddress(parsing: to))
        plan.connections = connections
        plan.inFlight = inFlight
        plan.count = count
        plan.duration = .seconds(duration)
        plan.rate = rate
        plan.targets = first..<first + targets
        plan.sequence = sequence
        return plan
    }

    /// Runs the load and shows what came of it; fails unless all was accepted.
    func run(_ wire: some LoadWire) async throws {
        let loop = try EventLoop(name: "load")
        loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let before = watch.flatMap(ProcessUsage.init(of:))
        let load = Load(try plan(), wire: wire, on: loop)
        let telling = Task { await tell(load) }
        defer { telling.cancel() }
        let report = try await load.run()
        let after = watch.flatMap(ProcessUsage.init(of:))
        if json { try Output.json(report) } else { show(report, before, after) }
        if report.refused + report.unanswered > 0 { throw ExitCode(1) }
    }

    /// Tells once a second how far it is.
    private func tell(_ load: Load<some LoadWire>) async {
        var last = 0
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let answered = await load.progress
            let whole = count.map { "/\(Output.grouped($0))" } ?? ""
            Output.progress("answered \(Output.grouped(answered))\(whole) (\(Output.grouped(answered - last))/s)")
            last = answered
        }
    }

    private func show(_ report: LoadReport, _ before: ProcessUsage?, _ after: ProcessUsage?) {
        let rate = report.elapsed > 0 ? Double(report.accepted) * 1_000_000 / Double(report.elapsed) : 0
        Output.table(
            [
                ("accepted", "\(Output.grouped(report.accepted)), \(Output.grouped(Int(rate)))/s"),
                ("refused, unanswered", "\(report.refused), \(report.unanswered) \(report.lastTrouble ?? "")"),
                ("late", Output.grouped(report.late)),
            ] + Output.rows("answer after", report.latency)
                + Output.rows("watched", from: before, to: after, per: report.accepted))
    }
}
