internal import Base
internal import Libevent

/// Sends messages over many connections and waits for their answers.
actor Load<Wire: LoadWire>: ConnectionHandler {
    private let loop: EventLoop
    private let plan: LoadPlan
    private var wire: Wire
    private var lanes: [Lane] = []
    private var report = LoadReport()
    private var latencies = Latencies()
    private var timer: Timer?
    private var pace: Pace?
    /// Due, and not yet sent for want of a free connection.
    private var backlog = 0
    private var sent = 0
    private var nextLane = 0
    private var began: Int64 = 0
    private var waiter: CheckedContinuation<Void, Never>?
    private var scratch: [UInt8] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// One connection.
    private final class Lane {
        let number: Int
        var connection: Connection?
        var isReady = false
        /// When the unanswered messages were sent, oldest first.
        var sentAt: [Int64] = []
        var identifier: UInt16 = 0
        init(number: Int) { self.number = number }
    }

    init(_ plan: LoadPlan, wire: Wire, on loop: EventLoop) {
        self.loop = loop
        self.plan = plan
        self.wire = wire
    }

    /// Connects, sends, and returns when all is answered, or nothing was for ten seconds.
    func run() async throws(LibeventError) -> LoadReport {
        for number in 0..<plan.connections {
            let lane = Lane(number: number)
            let connection = try Connection.connect(to: plan.address, on: loop, handler: self)
            connection.tag = lane
            lane.connection = connection
            lanes.append(lane)
        }
        timer = try Timer(on: loop, after: .milliseconds(1), every: .milliseconds(1)) { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
        await withCheckedContinuation { waiter = $0 }
        for lane in lanes { lane.connection?.close() }
        report.latency = latencies.summary
        report.buckets = latencies.buckets
        return report
    }

    /// How many answers there are.
    var progress: Int { report.accepted + report.refused }

    // MARK: Sending

    private func tick() {
        guard lanes.allSatisfy({ $0.isReady || $0.connection == nil }) else { return }
        if began == 0 {
            began = MonotonicClock.microseconds
            if plan.rate > 0 { pace = Pace(rate: plan.rate) }
        }
        let due = isOver ? 0 : pace?.due() ?? 0
        backlog += due
        if isOver { finishIfAnswered() } else { fill() }
        // Of those that became due just now: what no connection was free for.
        report.late += min(due, backlog)
    }

    private var isOver: Bool {
        if let count = plan.count, sent >= count { return true }
        return began > 0 && MonotonicClock.microseconds - began >= plan.duration.microseconds
    }

    private func fill() {
        for _ in 0..<lanes.count {
            let lane = lanes[nextLane]
            nextLane = (nextLane + 1) % lanes.count
            while mayBeSent(on: lane) { send(on: lane) }
        }
    }

    private func mayBeSent(on lane: Lane) -> Bool {
        lane.isReady && lane.sentAt.count < plan.inFlight && (pace == nil || backlog > 0) && sent < plan.count ?? .max
    }

    private func send(on lane: Lane) {
        if pace != nil { backlog -= 1 }
        lane.identifier = lane.identifier == .max ? 1 : lane.identifier + 1
        let now = WallClock.microseconds
        let mark = Mark(stream: .single, sequence: plan.sequence &+ UInt32(truncatingIfNeeded: sent), sentAt: now)
        let target = plan.targets.lowerBound + sent % plan.targets.count
        sent += 1
        lane.sentAt.append(now)
        scratch.removeAll(keepingCapacity: true)
        wire.write(LoadMessage(target: target, mark: mark, identifier: lane.identifier), to: &scratch)
        lane.connection?.send(scratch)
    }

    private func finishIfAnswered() {
        let open = lanes.reduce(0) { $0 + ($1.connection == nil ? 0 : $1.sentAt.count) }
        let silence = WallClock.microseconds - (lanes.compactMap(\.sentAt.first).min() ?? .max)
        guard open == 0 || silence > 10_000_000 else { return }
        timer = nil
        report.unanswered += lanes.reduce(0) { $0 + $1.sentAt.count }
        if report.elapsed == 0 { report.elapsed = MonotonicClock.microseconds - began }
        waiter?.resume()
        waiter = nil
    }

    // MARK: Answers

    nonisolated func connectionDidOpen(_ connection: sending Connection) { assumeIsolated { $0.opened(connection) } }
    nonisolated func connectionDidRead(_ connection: sending Connection) { assumeIsolated { $0.read(connection) } }
    nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated { $0.closed(connection, reason) }
    }

    private func opened(_ connection: Connection) {
        guard let lane = connection.tag as? Lane else { return }
        if let greeting = wire.greeting(of: lane.number) { connection.send(greeting) } else { lane.isReady = true }
    }

    private func closed(_ connection: Connection, _ reason: Connection.CloseReason) {
        guard let lane = connection.tag as? Lane, waiter != nil else { return }
        lane.connection = nil
        lane.isReady = false
        report.lastTrouble = "\(reason)"
    }

    private func read(_ connection: Connection) {
        guard let lane = connection.tag as? Lane else { return }
        do throws(BenchError) {
            try connection.withInput { (bytes, consumed) throws(BenchError) in
                while let answer = try wire.answer(bytes, consumed: &consumed) { record(answer, lane) }
            }
        } catch {
            report.lastTrouble = error.description
            connection.close()
        }
        if pace == nil || backlog > 0, !isOver {
            while mayBeSent(on: lane) { send(on: lane) }
        }
    }

    private func record(_ answer: LoadAnswer, _ lane: Lane) {
        if answer == .ready {
            lane.isReady = true
            return
        }
        guard !lane.sentAt.isEmpty else { return }
        latencies.record(WallClock.microseconds - lane.sentAt.removeFirst())
        report.elapsed = MonotonicClock.microseconds - began
        if case .refused(let why) = answer {
            report.refused += 1
            report.lastTrouble = why
        } else {
            report.accepted += 1
        }
    }
}
