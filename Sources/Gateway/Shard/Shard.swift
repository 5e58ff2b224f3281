internal import Base
public import Libevent
public import Logging
internal import MQTT
public import Push

/// The devices of one loop: their connections, their sessions, and the dispatch of what the feed brings.
///
/// One a loop, and the loop is its executor: a callback of the loop enters it once, without a hop. In this order:
/// ``init(on:store:configuration:logger:)``, ``StorePort/subscribe(_:)`` with ``apply(_:)``, ``begin(with:)``,
/// ``start(listeningOn:security:)``; at the end ``shutdown()``.
///
/// ```swift
/// let shard = Shard(on: loop, store: port, logger: Logger(label: "gateway"))
/// let snapshot = try await port.subscribe { event in shard.apply(event) }
/// try await shard.begin(with: snapshot)
/// try await shard.start(listeningOn: socket)
/// ```
public actor Shard {
    nonisolated let loop: EventLoop
    let store: any StorePort
    let configuration: GatewayConfiguration
    let logger: Logger
    /// Which lines of the last second were left out.
    var lineLimit = LineLimit()
    var lineTimer: Timer?

    var listeners: [Listener] = []
    var connections = ConnectionTable()
    var silentConnections = SilentConnections<DeviceConnection>()
    let room: ConnectionRoom
    var roomLine = RareLine()
    var acceptLine = RareLine()
    /// Connections whose CONNECT the store decides about.
    var attaching: [SessionID: DeviceConnection] = [:]
    /// One a lane; there are few.
    var dispatchers: [Dispatcher] = []
    let storeClock: StoreClock
    /// `nil` where it never lapses: then nobody looks.
    let lease: Lease?
    let clock = DeliveryClock()
    /// Events that came before the snapshot; `nil` since it came.
    var early: [FeedEvent]? = []
    /// When a connection has been silent for too long, by its slot.
    var wheel: DeadlineWheel?
    /// Sessions with a message without PUBACK.
    var watch: AcknowledgementWatch?
    /// Whether the store took more acknowledgements when it was last told or asked.
    var takesAcknowledgements = true
    /// What operators follow.
    let tracer: Tracer
    /// Which devices were overdue lately.
    let overdue: OverdueDevices
    /// Rings while sessions are blocked.
    var visitTimer: Timer?
    var isVisiting = false

    /// What is done at the end of a turn in which something was inside.
    private(set) var turnEnd: TurnStep?
    /// Something is inside; see ``enter(_:)``.
    var isEntered = false

    /// Connections whose CONNACK may still wait for the first page, until the timer rings.
    var heldConnacks: [DeviceConnection] = []
    var connackTimer: Timer?
    /// The CONNACK that was encoded last.
    var lastConnack: (packet: Packet, version: ProtocolVersion, bytes: [UInt8])?

    /// Receipts of this turn.
    var receipts: [QueuedReceipt] = []
    /// Devices that flap and wait, the first to go on first.
    var slowed: [SlowedDevice] = []
    var slowTimer: Timer?
    /// Receipts of devices that have sent as many as they may in this minute, until it is over; by the connection's slot, none
    /// empty.
    var postponed: [Int: [QueuedReceipt]] = [:]
    /// Whose are taken next, since the minute is over.
    var awaited: [DeviceConnection] = []
    var receiptTimer: Timer?

    /// Rings when what a pause has held up is tried again.
    var pauseTimer: Timer?
    var isPaused = false
    /// Receipts that the store could not be told.
    var deferred: [QueuedReceipt] = []

    var pagesBeingRead = 0
    /// Calls to the store whose answers have not been used.
    var outstandingCalls = 0
    var isStopping = false
    /// What ``shutdown()`` waits for, and who is told when it is so.
    var onQuiet: (isOver: (isolated Shard) -> Bool, waiting: CheckedContinuation<Void, Never>)?
    /// Resumed when the next devices are disconnected, while they are little by little.
    var onWave: CheckedContinuation<Void, Never>?
    /// What is counted of connections; each dispatcher counts what it sends.
    var connectionCounters = DeviceCounters()
    var random = SplitMix()

    /// The loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes the shard of a loop; nothing happens until it begins.
    /// - Parameters:
    ///   - store: the loop's own port.
    ///   - overdue: one for all shards of the process: a device may come back to another loop.
    ///   - tracer: what operators follow, of the process too.
    ///   - logger: refusals and faults of devices go there, without secrets.
    public init(
        on loop: EventLoop, store: any StorePort, configuration: GatewayConfiguration = GatewayConfiguration(),
        overdue: OverdueDevices = OverdueDevices(), tracer: Tracer = Tracer(), logger: Logger
    ) {
        self.loop = loop
        self.store = store
        storeClock = store.clock
        lease = store.lease.isUnlimited ? nil : store.lease
        self.configuration = configuration
        room = ConnectionRoom(budget: configuration.budget)
        self.overdue = overdue
        self.tracer = tracer
        self.logger = logger
    }

    /// What the shard has counted.
    public var counters: DeviceCounters {
        var sum = connectionCounters
        for dispatcher in dispatchers {
            sum += dispatcher.counters
            sum.sessions += UInt64(dispatcher.sessions.count)
            sum.windowsFull += UInt64(dispatcher.blocked.count)
            sum.awaitingPages += UInt64(dispatcher.pageQueue.count)
        }
        sum.connections = UInt64(connections.count)
        sum.awaitingPages += UInt64(pagesBeingRead)
        return sum
    }

    /// Of that, how many PUBLISH packets were handed to connections, and how many were acknowledged.
    public var traffic: (deliveries: UInt64, acknowledgements: UInt64) {
        dispatchers.reduce(into: (0, 0)) { sum, dispatcher in
            sum.deliveries += dispatcher.counters.published
            sum.acknowledgements += dispatcher.counters.acknowledged
        }
    }

    // MARK: Begin

    /// Takes the directory over as it was when the feed began; events that came before are applied now. Once.
    /// - Throws: `LibeventError` when the loop cannot give a timer.
    public func begin(with snapshot: DirectorySnapshot) throws(LibeventError) {
        guard let events = early else { preconditionFailure("a shard begins once") }
        try prepare()
        early = nil
        dispatchers.append(makeDispatcher(snapshot))
        enter {
            for event in events { dispatch(event) }
        }
    }

    /// Makes the timers, once.
    private func prepare() throws(LibeventError) {
        guard turnEnd == nil else { return }
        wheel = try DeadlineWheel(on: loop) { [unowned self] slot in deadlineHasCome(slot) }
        watch = try AcknowledgementWatch(on: loop, timeout: configuration.acknowledgementTimeout) {
            [unowned self] slot, session in
            judge(slot, session)
        }
        lineTimer = try Timer(on: loop, after: .zero) { [unowned self] in leftOutLinesAreDue() }
        visitTimer = try Timer(on: loop, after: .zero) { [unowned self] in visitsAreDue() }
        connackTimer = try Timer(on: loop, after: .zero) { [unowned self] in connacksAreDue() }
        slowTimer = try Timer(on: loop, after: .zero) { [unowned self] in slowedAreDue() }
        receiptTimer = try Timer(on: loop, after: .zero) { [unowned self] in anotherMinuteBegins() }
        pauseTimer = try Timer(on: loop, after: .zero) { [unowned self] in pauseIsOver() }
        turnEnd = loop.onRequestAtEndOfTurn { [weak self] in
            // The steps run on the loop, which is this actor's executor.
            self?.assumeIsolated { $0.turnEnds() }
        }
    }

    /// Accepts devices on that socket; may be called for several. Where the store cannot be reached it is called before
    /// ``begin(with:)``: until then devices are told that the server is unavailable.
    /// - Parameter security: what the connections' TLS begins with; `nil`: they are in clear. The handshake belongs to the time
    ///   that a CONNECT may take.
    /// - Throws: `LibeventError`.
    public func start(listeningOn socket: ListeningSocket, security: TLSSource? = nil) throws(LibeventError) {
        try prepare()
        // For clients that want no keep-alive.
        try socket.prepareTCPKeepAlive(idle: .seconds(60), interval: .seconds(15), count: 4)
        // For a peer that has vanished with data on its way to it: it is noticed within two minutes as well.
        try socket.limitUnacknowledgedData(to: .seconds(110))
        let listener = try Listener(socket, on: loop, security: security, proxies: configuration.proxies) {
            [unowned self] socket in didAccept(socket)
        }
        listener.onAcceptError = { [unowned self] error in
            guard let unreported = acceptLine.admit() else { return }
            logger.error("devices cannot be accepted", metadata: ["cause": "\(error)", "unreported": "\(unreported)"])
        }
        listeners.append(listener)
    }
}
