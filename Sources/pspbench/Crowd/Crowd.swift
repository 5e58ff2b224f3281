internal import Base
internal import Libevent

/// Connects all devices and sends groupcasts to all of them, one after the other; on request single devices get pushes meanwhile.
/// Then counts what arrived.
struct Crowd {
    private let command: CrowdCommand
    private let server: RunningServer
    private let loop: EventLoop
    private let client: PushServerClient
    private let swarm: Swarm
    private let name: String

    private static let secret = "crowd-secret"
    /// How long a scenario with pushes lasts at least: long enough for groupcasts and pushes to meet.
    private static let shortest: Int64 = 3_000_000

    init(_ command: CrowdCommand, server: RunningServer, on loop: EventLoop) throws {
        self.command = command
        self.server = server
        self.loop = loop
        name = command.name ?? "crowd-" + String(WallClock.microseconds, radix: 36)
        client = PushServerClient(server, appkey: name, secret: Self.secret, on: loop)
        var plan = SwarmPlan(address: server.mqtt, count: command.devices)
        plan.userName = "\(name)-{}"
        plan.clientIdentifier = ""
        plan.version = command.mqtt == 5 ? .v5 : .v311
        plan.rate = command.rate
        swarm = Swarm(plan, on: loop)
    }

    func run() async throws -> CrowdReport {
        var report = CrowdReport(devices: command.devices, groupcasts: command.groupcasts)
        try await client.register(devices: command.devices)
        report.usageBefore = ProcessUsage(of: server.process)
        try await swarm.connect()
        _ = await swarm.wait(for: .connected, timeout: .seconds(command.patience))
        report.usageConnected = ProcessUsage(of: server.process)

        async let load = pushLoad()
        let began = MonotonicClock.microseconds
        while report.tasks.count < command.groupcasts
            || (command.pushes > 0 && MonotonicClock.microseconds - began < Self.shortest)
        {
            let mark = Mark(stream: .group, sequence: UInt32(report.tasks.count + 1), sentAt: WallClock.microseconds)
            report.tasks.append(try await client.groupcast(mark))
            if command.pushes == 0 {
                _ = await swarm.wait(for: .each(UInt32(report.tasks.count)), timeout: .seconds(command.patience))
            } else {
                // Not faster than devices acknowledge: a backlog would measure patience only.
                try await settle(report.tasks.last)
            }
        }
        report.groupcasts = report.tasks.count
        report.load = try await load
        try await finish(&report)
        return report
    }

    private func pushLoad() async throws -> LoadReport? {
        guard command.pushes > 0 else { return nil }
        var plan = LoadPlan(address: server.http)
        plan.connections = 16
        plan.rate = command.pushes
        plan.count = Int(command.pushes * Double(Self.shortest) / 1_000_000)
        plan.duration = .seconds(command.patience)
        plan.targets = 0..<command.devices
        var wire = HTTPWire(appkey: name, secret: Self.secret, host: "\(server.http)")
        wire.token = "\(name)-{}"
        wire.tag = "crowd"
        return try await Load(plan, wire: wire, on: loop).run()
    }

    /// Waits until the server says that nobody is to get this task any more.
    private func settle(_ task: String?) async throws {
        guard let task else { return }
        let deadline = MonotonicClock.microseconds + Int64(command.patience) * 1_000_000
        while try await client.counts(of: task).pending > 0, MonotonicClock.microseconds < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func finish(_ report: inout CrowdReport) async throws {
        _ = await swarm.wait(for: .total(report.expected), timeout: .seconds(command.patience))
        for task in report.tasks {
            try await settle(task)
            let counts = try await client.counts(of: task)
            report.targeted += counts.targeted
            report.delivered += counts.delivered
        }
        if let load = report.load { try await countPushes(load, &report) }
        let seen = await swarm.report
        report.tally = seen.tally
        report.latency = seen.latency
        report.usageAfter = ProcessUsage(of: server.process)
        await swarm.disconnect()
    }

    private func countPushes(_ load: LoadReport, _ report: inout CrowdReport) async throws {
        let deadline = MonotonicClock.microseconds + Int64(command.patience) * 1_000_000
        repeat {
            let counts = try await client.counts(tagged: "crowd")
            (report.pushesTargeted, report.pushesDelivered) = (counts.targeted, counts.delivered)
            if counts.pending == 0 { return }
            try await Task.sleep(for: .milliseconds(20))
        } while MonotonicClock.microseconds < deadline
    }
}
