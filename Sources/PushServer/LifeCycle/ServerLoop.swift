internal import Base
internal import Gateway
public import Libevent
internal import Logging
public import Push
internal import PushAPI

/// What all loops of a process share.
struct SharedByLoops: Sendable {
    let overdue = OverdueDevices()
    let tracer = Tracer()
    /// Callers' and devices' connections.
    let budget: ConnectionBudget
    let operatorConnections: Int
    /// Whose connections may come, of devices and of callers.
    let deviceAdmission: ConnectionAdmission?
    let callerAdmission: ConnectionAdmission?
    let logins: LoginGuard
    let flapping: FlappingDevices
    let receipts: ReceiptAllowance
    let readiness = Readiness(hasBegun: false)

    /// What was refused as it came.
    var unadmitted: [(kind: String, ConnectionAdmission.Refusals)] {
        [
            ("device", deviceAdmission?.refusals ?? ConnectionAdmission.Refusals()),
            ("caller", callerAdmission?.refusals ?? ConnectionAdmission.Refusals()),
        ]
    }

    init(_ shares: DescriptorShares, _ configuration: ServerConfiguration) {
        deviceAdmission = ConnectionAdmission(configuration.connections)
        callerAdmission = ConnectionAdmission(configuration.connections)
        logins = LoginGuard(configuration.logins)
        flapping = FlappingDevices(limit: configuration.reconnectsPerMinute)
        receipts = ReceiptAllowance(perMinute: configuration.receiptsPerMinute)
        budget = ConnectionBudget(limit: shares.connections)
        operatorConnections = shares.operators
    }
}

/// One event loop and what lives on it: its port of the store, its devices, its callers.
struct ServerLoop: Sendable {
    let thread: EventLoop
    private let port: any StorePort
    private let shard: Shard
    private let front: PushFront

    /// Nothing is served before ``serveDevices(on:security:)`` and ``serveCallers(on:security:)``.
    /// - Parameter thread: has been started.
    init(on thread: EventLoop, port: any StorePort, _ configuration: ServerConfiguration, _ shared: SharedByLoops) {
        self.thread = thread
        self.port = port
        var devices = GatewayConfiguration(
            window: configuration.window, acknowledgementTimeout: configuration.acknowledgementTimeout,
            maximumPacketSize: configuration.largestPacket)
        devices.budget = shared.budget
        devices.proxies = configuration.devicesProxies
        devices.connectTimeout = configuration.connectTimeout
        devices.receipts = shared.receipts
        devices.admission = shared.deviceAdmission
        devices.logins = shared.logins
        devices.flapping = shared.flapping
        shard = Shard(
            on: thread, store: port, configuration: devices, overdue: shared.overdue, tracer: shared.tracer,
            logger: Logger(label: "devices"))
        var callers = PushFront.Configuration(log: Logger(label: "callers"))
        callers.timestampWindow = configuration.timestampWindow.components.seconds * 1_000
        (callers.limits.maxBodyBytes, callers.limits.maxHeaderBytes) = (configuration.largestBody, configuration.largestHead)
        callers.limits.idleTimeout = configuration.httpIdleTimeout
        callers.limits.maxConnections = configuration.httpConnections
        callers.limits.budget = shared.budget
        callers.limits.admission = shared.callerAdmission
        callers.limits.requestTimeout = configuration.requestTimeout
        callers.forwarding = configuration.forwarding
        callers.readiness = shared.readiness
        callers.tracer = shared.tracer
        // Called on the loop only. The loop reads its clocks once a turn.
        let clocks = PushFront.Clocks(
            wall: { thread.wallClockMilliseconds }, callers: port.sharedWallClock, monotonic: { thread.monotonicNow / 1_000_000 })
        front = PushFront(on: thread, store: port, clocks: clocks, configuration: callers)
    }

    /// Takes the directory and the feed. The feed may begin before the snapshot is in place: the devices' side keeps those events
    /// until then, and the callers' side prefers them to the snapshot.
    /// - Parameter operators: the operators' front, where it is on this loop.
    func begin(with operators: AdminFront?) async throws {
        let snapshot = try await port.subscribe { [shard, front] event in
            shard.apply(event)
            front.assumeIsolated { $0.apply(event) }
            operators?.assumeIsolated { $0.apply(event) }
        }
        try await shard.begin(with: snapshot)
        await front.seed(snapshot)
        await operators?.seed(snapshot)
    }

    /// Serves devices.
    /// - Parameter security: what the connections' TLS begins with; `nil`: they are in clear.
    func serveDevices(on socket: ListeningSocket, security: TLSSource? = nil) async throws {
        try await shard.start(listeningOn: socket, security: security)
    }

    /// Serves callers.
    func serveCallers(on socket: ListeningSocket, security: TLSSource? = nil) async throws {
        try await front.start(listening: socket, security: security)
    }

    /// The operators' listener on this loop, with the same port of the store.
    func makeAdminFront(
        token: String, status: StatusBoard, level: RunningLevel, traces: TraceBoard, refusals: RefusalBoard, lines: AuditLog?,
        _ configuration: ServerConfiguration,
        _ shared: SharedByLoops
    ) -> AdminFront {
        var operators = AdminFront.Configuration(token: token, log: Logger(label: "operators"))
        (operators.limits.maxBodyBytes, operators.limits.maxHeaderBytes) = (configuration.largestBody, configuration.largestHead)
        operators.sessionLength = configuration.operatorSession
        operators.logins = LoginGuard(
            LoginGuard.Limits(
                perAddress: configuration.logins.perAddress ?? AdminFront.Configuration.usualFailuresOfAddress,
                perName: configuration.logins.perName ?? AdminFront.Configuration.usualFailures))
        operators.limits.idleTimeout = configuration.httpIdleTimeout
        operators.limits.maxConnections = shared.operatorConnections
        operators.limits.requestTimeout = configuration.requestTimeout
        operators.forwarding = configuration.forwarding
        operators.readiness = shared.readiness
        let process = ServedProcess(
            status: { await status.status() }, nodes: { () async throws(StoreError) in try await status.nodes() },
            metrics: { operators in await status.metrics(operators) },
            logLevel: { level.level }, setLogLevel: { level.level = $0 }, tracing: traces.control,
            audit: AuditControl(tell: { entry, time in lines?.tell(entry, at: time) }, flush: { await refusals.flush() }),
            // Of the same loop.
            pushed: { [front] interface, accepted in front.assumeIsolated { $0.count(accepted, of: interface) } })
        return AdminFront(on: thread, store: port, process: process, configuration: operators)
    }

    /// What is traced has changed.
    func traceAnew() async {
        await shard.traceAnew()
        await front.traceAnew()
    }

    // MARK: Figures

    /// What the loop has counted and holds now; told when it turns.
    func status() async -> LoopStatus {
        var status = await front.status
        status.devices = await shard.counters
        return status
    }

    /// Of that, what rates are told of: asked for every other second, so it is little.
    func traffic() async -> Traffic {
        let (deliveries, acknowledgements) = await shard.traffic
        return Traffic(pushes: await front.pushesStored, deliveries: deliveries, acknowledgements: acknowledgements)
    }

    // MARK: Refusals

    /// Callers who were refused since the last time.
    func takeRefusals() async -> [RefusalCount] { await front.takeRefusals() }

    /// Has the store count them.
    /// - Returns: how far the wall clock is ahead of store time, in milliseconds.
    func count(_ refusals: [RefusalCount]) async throws(StoreError) -> Int64 {
        try await port.count(refusals)
        // Not the loop's: this is asked from outside of it.
        return WallClock.milliseconds - port.clock.now
    }

    /// What only the store knows, each without a loop's own doing; `nil` where it does not tell.
    func clockState() async -> ClockState? {
        do { return try await port.clockState() } catch { return nil }
    }

    /// The newest imports.
    func imports() async -> [ImportReport]? {
        do { return try await port.imports(after: nil, limit: 20).items } catch { return nil }
    }

    // MARK: The end

    /// Balancers that ask for callers are told from now on that the server is not ready.
    func announceEnd() async { await front.announceEnd() }

    /// Accepts no callers any more and answers the requests in hand with `Connection: close`.
    func closeCallers(within limit: Duration) async {
        await front.shutdown(patience: limit)
    }

    /// Accepts no devices any more.
    func stopAcceptingDevices() async { await shard.stopAccepting() }

    /// Disconnects the devices little by little; see `Shard`.
    func disconnectDevices(perSecond rate: Double) async throws { try await shard.disconnect(perSecond: rate) }

    /// How many devices are connected.
    var devices: Int { get async { Int(clamping: await shard.counters.sessions) } }

    /// Reads the devices' sockets until they are empty, so that no acknowledgement is lost, and disconnects them.
    func disconnectDevices() async {
        await shard.shutdown()
    }
}

extension ServerConfiguration {
    /// What replies announce is a second less (`HTTPLimits.idleTimeout`).
    fileprivate var httpIdleTimeout: Duration { httpIdleTime + .seconds(1) }
}

/// The store posts its feed and its answers to a loop as anything else is posted: in order, and the loop is woken once at most.
extension EventLoop: Mailbox {}
