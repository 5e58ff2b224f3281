public import Libevent
public import Logging
internal import MQTT
public import Push

/// The devices of one loop: their connections, their sessions, and the dispatch of what the feed brings.
///
/// One a loop, and the loop is its executor: a callback of the loop enters it once, without a hop. In this order: ``init(on:store:configuration:logger:)``,
/// ``StorePort/subscribe(_:)`` with ``apply(_:)``, ``begin(with:)``, ``start(listeningOn:)``; at the end ``shutdown()``.
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

    var listeners: [Listener] = []
    var connections = ConnectionTable()
    /// Connections whose CONNECT the store decides about.
    var attaching: [SessionID: DeviceConnection] = [:]
    /// One a lane; there are few.
    var dispatchers: [Dispatcher] = []
    /// Events that came before the snapshot; `nil` since it came.
    private var early: [FeedEvent]? = []
    var wheel: DeadlineWheel?

    /// Connections whose CONNACK may still wait for the first page, until the timer rings.
    var greeting: [DeviceConnection] = []
    var impatience: Timer?

    /// Receipts of this turn, and who waits for the answer.
    var receipts: [Receipt] = []
    var receiptOwners: [(device: DeviceConnection, ticket: UInt32?)] = []

    /// Pages that are being read.
    var reads = 0
    /// Calls to the store whose answers have not been used.
    var outstanding = 0
    var isStopping = false
    /// Resumed when something that ``shutdown()`` waits for may be over.
    var onQuiet: CheckedContinuation<Void, Never>?
    var own = GatewayCounters()
    var random = SplitMix()
    /// The CONNACK that was encoded last.
    var lastConnack: (packet: Packet, version: ProtocolVersion, bytes: [UInt8])?

    /// The loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes the shard of a loop; nothing happens until it begins.
    /// - Parameters:
    ///   - store: the loop's own door to the store.
    ///   - logger: refusals and faults of devices go there, without secrets.
    public init(
        on loop: EventLoop, store: any StorePort, configuration: GatewayConfiguration = GatewayConfiguration(), logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.configuration = configuration
        self.logger = logger
    }

    /// What the shard has counted.
    public var counters: GatewayCounters {
        var sum = own
        for dispatcher in dispatchers {
            sum += dispatcher.counters
            sum.sessions += UInt64(dispatcher.sessions.count)
        }
        sum.connections = UInt64(connections.count)
        return sum
    }

    // MARK: Begin

    /// Takes the directory over as it was when the feed began; events that came before are applied now. Once.
    /// - Throws: `LibeventError` when the loop cannot give a timer.
    public func begin(with snapshot: DirectorySnapshot) throws(LibeventError) {
        guard let events = early else { preconditionFailure("a shard begins once") }
        wheel = try DeadlineWheel(on: loop) { [unowned self] slot in deadlineHasCome(slot) }
        impatience = try Timer(on: loop, after: .zero) { [unowned self] in losePatience() }
        loop.atEndOfTurn { [weak self] in
            // The steps run on the loop, which is this actor's executor.
            self?.assumeIsolated { $0.endTurn() }
        }
        early = nil
        dispatchers.append(Dispatcher(snapshot, configuration: configuration))
        for event in events { take(event) }
    }

    /// Accepts devices on that socket. After ``begin(with:)``.
    /// - Throws: `LibeventError`.
    public func start(listeningOn socket: ListeningSocket) throws(LibeventError) {
        precondition(early == nil, "a shard begins before it listens")
        // For clients that want no keep-alive.
        try socket.prepareTCPKeepAlive(idle: .seconds(60), interval: .seconds(15), count: 4)
        let listener = try Listener(socket, on: loop) { [unowned self] connection in accept(connection) }
        listener.onTrouble = { [logger] error in logger.error("devices cannot be accepted", metadata: ["error": "\(error)"]) }
        listeners.append(listener)
    }

    // MARK: The feed

    /// Applies an event of the feed. On the loop's thread. When it returns, nothing that the event ended is handed to a connection any more.
    public nonisolated func apply(_ event: FeedEvent) {
        assumeIsolated { $0.take(event) }
    }

    private func take(_ event: FeedEvent) {
        guard early == nil else {
            early?.append(event)
            return
        }
        switch event {
        case .entries(let lane, let upTo, let entries):
            guard let dispatcher = dispatcher(of: lane) else {
                logger.error("a feed without a snapshot", metadata: ["lane": "\(lane.index)"])
                return
            }
            dispatcher.now = loop.wallClockMilliseconds
            dispatcher.beginEvent()
            for entry in entries { take(entry, dispatcher) }
            dispatcher.endEvent(at: upTo)
        case .gap(let lane, let now, let snapshot):
            logger.notice("the feed has a gap: every session catches up", metadata: ["lane": "\(lane.index)"])
            if let dispatcher = dispatcher(of: lane) {
                dispatcher.now = loop.wallClockMilliseconds
                dispatcher.reset(to: snapshot, now: now)
            } else {
                dispatchers.append(Dispatcher(snapshot, configuration: configuration))
            }
        }
        flush()
        readPages()
    }

    private func take(_ entry: Entry, _ dispatcher: Dispatcher) {
        guard case .close(let handle, let id, let reason) = entry else {
            // The feed tells everything at least once: what was applied is not applied again.
            if let position = entry.position, position <= dispatcher.head { return }
            return dispatcher.apply(entry)
        }
        if let session = dispatcher.sessions[handle], session.id == id, let device = connections[session.connection] {
            end(device, .closed(reason, session.version), draining: reason == .takenOver)
        } else {
            // The answer to its attach is on the way, or it has gone and its detach was sent before.
            attaching[id]?.closeRequest = reason
        }
    }

    func dispatcher(of lane: Lane) -> Dispatcher? { dispatchers.first { $0.lane == lane } }

    // MARK: The turn

    /// Offers what a row for many owes its sessions, for as long as a step of the turn may last.
    private func sweep() {
        var visits = 0
        for dispatcher in dispatchers where !dispatcher.sweep.isEmpty {
            dispatcher.now = loop.wallClockMilliseconds
            while dispatcher.visitNext() {
                visits += 1
                guard dispatcher.written.count >= 16 || visits % 1024 == 0 else { continue }
                flush()
                guard loop.turnExceeded else { continue }
                loop.goOn()
                return
            }
            flush()
            // Who fell behind waits for a page.
            readPages()
        }
    }

    /// Hands the sessions' output to their connections.
    func flush() {
        for dispatcher in dispatchers where !dispatcher.written.isEmpty {
            dispatcher.flush { session in
                // What was written to a session that has ended meanwhile is not sent: it is in the log.
                guard let device = connections[session.connection], device.session === session else { return }
                device.connection.send(device.prologue.isEmpty ? session.output : device.takePrologue() + session.output)
            }
        }
    }

    /// So many facts are handed over even when the loop goes on.
    private static let largeBatch = 512

    private func endTurn() {
        sweep()
        // Each batch wakes the store: while many devices answer at once, larger ones save one wake for every six acknowledgements.
        let isDue = !loop.goesOn || !receipts.isEmpty || dispatchers.contains { $0.settled.count >= Self.largeBatch }
        if isDue { handOver() }
        commitReceipts()
    }

    /// Hands the acknowledgements to the store, in one batch.
    func handOver() {
        for dispatcher in dispatchers where !dispatcher.settled.isEmpty { store.settle(dispatcher.takeSettled()) }
    }
}
