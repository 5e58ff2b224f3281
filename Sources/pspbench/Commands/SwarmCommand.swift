internal import ArgumentParser
internal import Base
internal import Glibc
internal import Libevent

/// `pspbench swarm`: devices that connect, receive and acknowledge.
struct SwarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm", abstract: "Connects devices, acknowledges what they get, and counts.",
        discussion: """
            Ends when each device has its --each messages, or after --duration. The exit status is 0 when all devices were \
            connected and got what was asked for, 1 otherwise.

            With --control it does what standard input says, one line each, and answers each with one JSON object: connect; \
            handshake; wait connected|each K|total N [SECONDS]; reset; stall N; resume; hold; release; disconnect; cut; count; \
            report; quit.

            EXAMPLES
              pspbench swarm --to 127.0.0.1:1883 --count 10000 --rate 1000 --each 5
              pspbench swarm --to 127.0.0.1:1883 --count 50000 --json \\
                --user none --password none --subscribe 'dev/{}'
              pspbench swarm --to 127.0.0.1:8883 --count 1000 --tls 1.3 --duration 1
            """)

    @OptionGroup var options: SwarmOptions

    @Option(help: "How many messages each device is to get.")
    var each: UInt32?

    @Option(help: "How long to wait for them, in seconds.")
    var duration = 60

    @Option(help: "How many of the devices stop reading once all are connected.")
    var stall = 0

    @Option(help: "After how many seconds those read again.")
    var stallTime = 10

    @Option(help: "How many processes share the devices; 0: one for each 19,000.")
    var processes = 0

    @Option(help: "The process to be measured.")
    var watch: Int32?

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    @Flag(help: "Take orders from standard input.")
    var control = false

    func run() async throws {
        let loop = try EventLoop(name: "swarm", longestTurn: Swarm.longestTurn)
        let host = try makeHost(loop)
        loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let reached = control ? try await obey(host) : try await once(host)
        try await host.finish()
        if !reached { throw ExitCode(1) }
    }

    private func makeHost(_ loop: EventLoop) throws -> any SwarmHost {
        // Some descriptors are the program's own.
        let needed = processes > 0 ? processes : (options.count + 18_999) / 19_000
        guard needed > 1 else { return LocalSwarm(swarm: Swarm(try options.plan(), on: loop)) }
        return try SwarmFleet(
            count: options.count, first: options.first, rate: options.rate, processes: needed, arguments: options.shared)
    }

    private func report(_ host: any SwarmHost, _ order: Order) async throws -> SwarmReport {
        var report = try await host.perform(order)
        report.watched = watch.flatMap(ProcessUsage.init(of:))
        return report
    }

    private func obey(_ host: any SwarmHost) async throws -> Bool {
        while let line = readLine() {
            guard let order = Order(line) else {
                try Output.json(["error": "no order: \(line)"])
                continue
            }
            // A fleet's members answer it when they are let go.
            if order == .quit {
                try Output.json(try await report(host, .count))
                break
            }
            try Output.json(try await report(host, order))
        }
        return true
    }

    private func once(_ host: any SwarmHost) async throws -> Bool {
        let before = watch.flatMap(ProcessUsage.init(of:))
        _ = try await host.perform(.connect)
        let connected = try await progress(host, until: .connected, seconds: max(60, duration))
        let idle = watch.flatMap(ProcessUsage.init(of:))
        if stall > 0 { _ = try await host.perform(.stall(stall)) }
        var reached = connected.tally.ready == options.count
        if let each {
            if stall > 0 {
                _ = try await progress(host, until: .each(each), seconds: stallTime)
                _ = try await host.perform(.resume)
            }
            reached = try await progress(host, until: .each(each), seconds: duration).reached == true && reached
        } else {
            if stall > 0 {
                try await Task.sleep(for: .seconds(stallTime))
                _ = try await host.perform(.resume)
            }
            _ = try await progress(host, until: .total(.max), seconds: duration)
        }
        let end = try await report(host, .report)
        try show(end, before, idle)
        return reached && end.tally.lost == 0
    }

    /// Waits in pieces of a second and tells in between how far it is.
    private func progress(_ host: any SwarmHost, until goal: Goal, seconds: Int) async throws -> SwarmReport {
        let deadline = MonotonicClock.microseconds + Int64(seconds) * 1_000_000
        var last = 0
        while true {
            let report = try await host.perform(.wait(goal, seconds: 1))
            let tally = report.tally
            if report.reached == true || MonotonicClock.microseconds >= deadline { return report }
            Output.progress(
                "ready \(Output.grouped(tally.ready))/\(Output.grouped(report.devices))  lost \(tally.lost)  received "
                    + "\(Output.grouped(tally.received)) (\(Output.grouped(tally.received - last))/s)  repeated \(tally.repeated)"
            )
            last = tally.received
        }
    }

    private func show(_ report: SwarmReport, _ before: ProcessUsage?, _ idle: ProcessUsage?) throws {
        if json { return try Output.json(report) }
        let tally = report.tally
        Output.table(
            [
                ("devices", "\(Output.grouped(tally.ready)) ready, \(Output.grouped(tally.lost)) lost \(tally.lastLoss ?? "")"),
                ("received", "\(Output.grouped(tally.received)) in \(Output.grouped(tally.reads)) reads"),
                ("repeated, missing", "\(Output.grouped(tally.repeated)), \(Output.grouped(tally.missing))"),
            ] + Output.rows("latency", report.latency)
                + Output.rows("watched, connecting", from: before, to: idle, per: tally.ready)
                + Output.rows("watched, receiving", from: idle, to: report.watched, per: tally.received)
                + Output.rows("swarm itself", from: ProcessUsage.none, to: report.own, per: tally.received))
    }
}
