internal import Base
internal import Push
internal import PushAPI

/// Gathers what the server tells of itself: it asks each loop for its own figures, which nobody counts twice and nobody locks,
/// and notes every other second how far the counters are, so that rates can be told.
///
/// A loop or a store that stands still is not waited for: whoever asks wants to know just that.
actor StatusBoard {
    private let node: NodeName
    private let loops: [ServerLoop]
    private let store: any Store
    private let tls: ServerTLS?
    private let shared: SharedByLoops
    private let startedAt = WallClock.microseconds / 1_000
    private let start = MonotonicClock.nanoseconds
    /// Each loop's figures, as it told them last.
    private var known: [LoopStatus]
    private var sampled: [Traffic]
    private var history = TrafficHistory(at: 0)
    private var sampling: Task<Void, Never>?

    private static let patience = Duration.seconds(1)
    private static let pause = Duration.seconds(2)

    init(_ node: NodeName, _ loops: [ServerLoop], _ store: any Store, _ tls: ServerTLS?, _ shared: SharedByLoops) {
        self.node = node
        self.shared = shared
        self.loops = loops
        self.store = store
        self.tls = tls
        known = loops.map { _ in LoopStatus() }
        sampled = loops.map { _ in Traffic() }
    }

    /// Begins to note rates.
    func begin() {
        sampling = Task { [weak self] in
            while !Task.isCancelled {
                // Ends by cancellation only.
                do { try await Task.sleep(for: Self.pause) } catch { return }
                await self?.sample()
            }
        }
    }

    /// Before the loops end.
    func end() { sampling?.cancel() }

    /// As of now.
    func status() async -> ServerStatus {
        async let loopsNow = askLoops()
        let first = loops[0]
        async let clock = answer(within: Self.patience) { await first.clockState() }
        async let imports = answer(within: Self.patience) { await first.imports() }
        async let storage = answer(within: Self.patience) { [store] in store.storage }
        let loops = await loopsNow
        let traffic = Traffic(loops.reduce(into: LoopStatus()) { $0 += $1 })
        var status = ServerStatus(
            node: node, startedAt: startedAt, uptime: now, loops: loops, rates: history.rates(of: traffic, at: now),
            store: store.status,
            holdTimes: store.holdTimes, storage: await storage, clock: await clock, imports: await imports)
        status.standing = store.standing
        status.flapping = shared.flapping.worst(at: MonotonicClock.nanoseconds)
        return status
    }

    /// Who shares the store.
    func nodes() async throws(StoreError) -> [NodeReport] {
        if let nodes = try await store.nodes() { return nodes }
        let sessions = await askLoops().reduce(0) { $0 + Int64(clamping: $1.devices.sessions) }
        return [
            NodeReport(
                name: node.text, version: Version.current, isOwn: true, startedAt: startedAt, lease: nil, lag: 0,
                sessions: sessions)
        ]
    }

    /// As of now, as Prometheus reads it: put together here, and not on a loop.
    func metrics(_ operators: OperatorFigures) async -> [UInt8] {
        ServerMetrics.text(
            of: await status(), operators, certificateExpiry: tls?.certificate.expiry, unadmitted: shared.unadmitted)
    }

    /// Milliseconds since the start.
    private var now: Int64 { (MonotonicClock.nanoseconds - start) / 1_000_000 }

    /// What a loop does not tell within a second is as it was.
    private func sample() async {
        await withTaskGroup(of: (Int, Traffic?).self) { [loops] group in
            for (index, loop) in loops.enumerated() {
                group.addTask { (index, await answer(within: Self.patience) { await loop.traffic() }) }
            }
            for await (index, traffic) in group { if let traffic { sampled[index] = traffic } }
        }
        history.note(sampled.reduce(into: Traffic()) { $0 += $1 }, at: now)
    }

    /// Asks all of them at once.
    private func askLoops() async -> [LoopStatus] {
        await withTaskGroup(of: (Int, LoopStatus?).self) { [loops] group in
            for (index, loop) in loops.enumerated() {
                group.addTask { (index, await answer(within: Self.patience) { await loop.status() }) }
            }
            for await (index, status) in group {
                if let status { known[index] = status } else { known[index].isLate = true }
            }
        }
        return known
    }
}
