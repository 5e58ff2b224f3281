internal import Gateway
internal import Libevent
internal import Logging
internal import Push
internal import PushAPI

/// One event loop with what lives on it: its door to the store, its devices, its callers.
struct ServerLoop: Sendable {
    let thread: EventLoop
    private let port: any StorePort
    private let shard: Shard
    private let front: PushFront

    /// Nothing is served before ``listen(devices:callers:)``.
    /// - Parameter thread: has been started.
    init(on thread: EventLoop, port: any StorePort, _ configuration: ServerConfiguration) {
        self.thread = thread
        self.port = port
        shard = Shard(
            on: thread, store: port, configuration: GatewayConfiguration(window: configuration.window),
            logger: Logger(label: "devices"))
        var callers = PushFront.Configuration(log: Logger(label: "callers"))
        callers.timestampWindow = configuration.timestampWindow.components.seconds * 1_000
        // Asked on the loop only, which reads the clock once a turn.
        front = PushFront(on: thread, store: port, now: { thread.wallClockMilliseconds }, configuration: callers)
    }

    /// Takes the directory and the feed. What the feed tells before the snapshot is in place, the devices' side keeps for later and
    /// the callers' side prefers.
    func begin() async throws {
        let snapshot = try await port.subscribe { [shard, front] event in
            shard.apply(event)
            front.assumeIsolated { $0.apply(event) }
        }
        try await shard.begin(with: snapshot)
        await front.seed(snapshot)
    }

    /// Serves devices and callers.
    func listen(devices: ListeningSocket, callers: ListeningSocket) async throws {
        try await shard.start(listeningOn: devices)
        try await front.start(listening: callers)
    }

    /// The operators' listener on this loop, by the same door to the store.
    func makeAdminFront(token: String) -> AdminFront {
        AdminFront(on: thread, store: port, configuration: .init(token: token, log: Logger(label: "operators")))
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
}
