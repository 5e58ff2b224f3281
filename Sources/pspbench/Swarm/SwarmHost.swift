internal import Glibc

/// Whoever takes a swarm's orders: the swarm in this process, or a fleet of several processes.
protocol SwarmHost {
    /// Carries the order out and tells how things stand afterwards. `wait` returns when its goal is reached or its time is over.
    func perform(_ order: Order) async throws -> SwarmReport
    /// Disconnects the devices and lets go of everything.
    func finish() async throws
}

/// The swarm of this process.
struct LocalSwarm: SwarmHost {
    let swarm: Swarm

    func perform(_ order: Order) async throws -> SwarmReport {
        var reached: Bool?
        switch order {
        case .connect: try await swarm.connect()
        case .handshake: try await swarm.connect(handshakesOnly: true)
        case .wait(let goal, let seconds): reached = await swarm.wait(for: goal, timeout: .seconds(seconds))
        case .reset: await swarm.reset()
        case .stall(let count): await swarm.stall(count)
        case .resume: await swarm.resume()
        case .hold: await swarm.hold()
        case .release: await swarm.release()
        case .disconnect: await swarm.disconnect()
        case .cut: await swarm.cut()
        case .report, .count, .quit: break
        }
        var report = await swarm.report
        if order != .report { report.buckets = nil }
        report.own = ProcessUsage(of: getpid())
        report.reached = reached
        return report
    }

    func finish() async { await swarm.disconnect() }
}
