internal import Base
internal import Libevent

/// Many devices on one loop. It reads, acknowledges, checks and counts, and nothing else: it must cost less than what it
/// measures.
actor Swarm {
    let loop: EventLoop
    let plan: SwarmPlan
    var devices: [Device] = []
    var tally = Tally()
    var latencies = Latencies()

    /// Whether a connection is closed as soon as its handshake is done.
    var handshakesOnly = false
    /// How many of `devices` have been told to connect.
    var begun = 0
    var pace: Pace?
    var timer: Timer?
    var keepAliveTimer: Timer?
    var keepAliveTick = 0

    /// Where the last mark was found in its packet: one groupcast's packets all have it in the same place.
    var markHint = 0
    /// The acknowledgements of one read, sent as one.
    var answers: [UInt8] = []
    /// Whether acknowledgements are kept back.
    var holds = false
    /// How many messages a device must have for `Goal.each`, and how many devices have them.
    var quota: UInt32 = .max
    var satisfied = 0
    var waiters: [Waiter] = []
    var deadlineTimer: Timer?

    struct Waiter {
        let goal: Goal
        let deadline: Int64
        let continuation: CheckedContinuation<Bool, Never>
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The turn of a swarm's loop: nobody waits for it, and short turns would double what it costs.
    static let longestTurn = Duration.milliseconds(64)

    init(_ plan: SwarmPlan, on loop: EventLoop) {
        self.loop = loop
        self.plan = plan
    }

    // MARK: What it is told

    /// Connects the devices that are not connected, at the plan's rate; returns at once.
    /// - Parameter handshakesOnly: each is closed as soon as its handshake is done, and counts as lost.
    func connect(handshakesOnly: Bool = false) throws(LibeventError) {
        self.handshakesOnly = handshakesOnly
        if devices.isEmpty {
            devices = (plan.first..<plan.first + plan.count).map(Device.init(number:))
            // Weak: the loop may outlive the swarm.
            loop.atEndOfTurn { [weak self] in self?.assumeIsolated { $0.turnEnded() } }
        }
        begun = 0
        (tally.lost, tally.resumed) = (0, 0)
        pace = plan.rate > 0 ? Pace(rate: plan.rate) : nil
        timer = try Timer(on: loop, after: .zero, every: .milliseconds(2)) { [weak self] in self?.assumeIsolated { $0.openMore() }
        }
        if plan.keepAlive > 0, keepAliveTimer == nil {
            keepAliveTimer = try Timer(on: loop, after: .seconds(1), every: .seconds(1)) { [weak self] in
                self?.assumeIsolated { $0.ping() }
            }
        }
    }

    /// Waits until the goal is reached; false: the time was over first.
    func wait(for goal: Goal, timeout: Duration) async -> Bool {
        if case .each(let count) = goal { setQuota(count) }
        if isReached(goal) { return true }
        let deadline = MonotonicClock.microseconds + timeout.microseconds
        if deadlineTimer == nil {
            do {
                deadlineTimer = try Timer(on: loop, after: .milliseconds(20), every: .milliseconds(20)) { [weak self] in
                    self?.assumeIsolated { $0.expire() }
                }
            } catch {
                tally.lastLoss = "\(error)"
                return false
            }
        }
        return await withCheckedContinuation { waiters.append(Waiter(goal: goal, deadline: deadline, continuation: $0)) }
    }

    /// Forgets what was received and how long it took.
    func reset() {
        tally.resetMessages()
        latencies.reset()
        for device in devices { (device.received, device.lastGroup, device.lastSingle) = (0, 0, 0) }
        setQuota(.max)
    }

    /// The first `count` devices stop reading: what is sent to them stays where it is.
    func stall(_ count: Int) { setReading(count, false) }

    /// All devices read again.
    func resume() { setReading(devices.count, true) }

    private func setReading(_ count: Int, _ on: Bool) {
        for device in devices.prefix(count) { device.connection?.setReading(on) }
    }

    /// From now on acknowledgements are kept back: what they cost the server can be told from what messages cost.
    func hold() { holds = true }

    /// What was kept back is acknowledged.
    func release() {
        holds = false
        for device in devices where !device.held.isEmpty {
            tally.acknowledged += device.held.count / Self.acknowledgementSize
            device.held.withUnsafeBytes { device.connection?.send($0) }
            device.held = []
        }
    }

    /// All devices say DISCONNECT and close.
    func disconnect() {
        timer = nil
        for device in devices {
            guard let connection = device.connection else { continue }
            if device.state == .ready { tally.ready -= 1 }
            device.state = .idle
            device.connection = nil
            connection.send(Self.disconnectPacket)
            connection.close()
        }
    }

    /// Connections are cut without DISCONNECT, as by a network that fails.
    func cut() {
        timer = nil
        for device in devices {
            guard let connection = device.connection else { continue }
            if device.state == .ready { tally.ready -= 1 }
            device.state = .idle
            device.connection = nil
            connection.close()
        }
    }

    var report: SwarmReport {
        SwarmReport(
            devices: plan.count, tally: tally, satisfied: satisfied, latency: latencies.summary, buckets: latencies.buckets)
    }

    /// The counts alone: what progress needs.
    var counts: Tally { tally }

    // MARK: Goals

    private func setQuota(_ count: UInt32) {
        guard quota != count else { return }
        quota = count
        satisfied = devices.count { $0.received >= count }
    }

    private func isReached(_ goal: Goal) -> Bool {
        switch goal {
        case .connected: tally.ready + tally.lost >= plan.count
        case .each: satisfied >= plan.count
        case .total(let count): tally.received >= count
        }
    }

    private func turnEnded() {
        guard !waiters.isEmpty else { return }
        waiters.removeAll { waiter in
            guard isReached(waiter.goal) else { return false }
            waiter.continuation.resume(returning: true)
            return true
        }
    }

    private func expire() {
        let now = MonotonicClock.microseconds
        waiters.removeAll { waiter in
            guard waiter.deadline <= now else { return false }
            waiter.continuation.resume(returning: false)
            return true
        }
        if waiters.isEmpty { deadlineTimer = nil }
    }

    static let disconnectPacket: [UInt8] = [0xe0, 0x00]
    static let pingPacket: [UInt8] = [0xc0, 0x00]
}
