internal import Gateway
internal import Libevent
internal import Logging
internal import Push
internal import PushAPI

extension EventLoop: Mailbox {}

/// One event loop with what lives on it: its door to the store, its devices, its callers. An actor on that loop, so that what the
/// store's feed tells and what is set up here come in one order.
actor ServerLoop {
    /// What each loop is told.
    struct Configuration: Sendable {
        var gateway: GatewayConfiguration
        var callers: PushFront.Configuration
        var log: Logger
    }

    nonisolated let loop: EventLoop
    private let port: any StorePort
    private let shard: Shard
    private let front: PushFront
    /// What the feed told before the snapshot was in place; `nil` from then on.
    private var early: [FeedEvent]? = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Nothing runs before ``begin()``; the loop itself must have been started.
    init(on loop: EventLoop, port: any StorePort, _ configuration: Configuration) {
        self.loop = loop
        self.port = port
        shard = Shard(on: loop, store: port, configuration: configuration.gateway, log: configuration.log)
        // Asked on the loop only, where the clock is read once a turn.
        front = PushFront(
            on: loop, store: port, now: { loop.wallClockMilliseconds }, configuration: configuration.callers)
    }

    /// Takes the directory and the feed. Returns when the loop knows what the store knows.
    func begin() async throws(StoreError) {
        seed(try await port.subscribe { [weak self] event in self?.assumeIsolated { $0.receive(event) } })
    }

    private func seed(_ snapshot: DirectorySnapshot) {
        shard.assumeIsolated { $0.seed(snapshot) }
        front.assumeIsolated { $0.seed(snapshot) }
        let waiting = early ?? []
        early = nil
        for event in waiting { receive(event) }
    }

    /// The feed may be faster than the answer that carries the snapshot: what it told meanwhile comes after it.
    private func receive(_ event: FeedEvent) {
        guard early == nil else {
            early?.append(event)
            return
        }
        shard.assumeIsolated { $0.apply(event) }
        front.assumeIsolated { $0.apply(event) }
    }

    /// Serves devices and callers.
    func listen(devices: ListeningSocket, callers: ListeningSocket) throws(LibeventError) {
        try shard.assumeIsolated { shard throws(LibeventError) in try shard.start(listening: devices) }
        try front.assumeIsolated { front throws(LibeventError) in try front.start(listening: callers) }
    }

    // MARK: The end

    /// Answers what is in hand with `Connection: close`, and takes no callers any more.
    func dismissCallers(patience: Duration) async {
        await front.shutdown(patience: patience)
    }

    /// Reads the devices' sockets until they are empty, so that no acknowledgement is lost, and disconnects them.
    func dismissDevices() async {
        await shard.shutdown()
    }

    /// What this loop's devices have done, for the metrics.
    var counters: GatewayCounters { shard.assumeIsolated { $0.counters } }
}
