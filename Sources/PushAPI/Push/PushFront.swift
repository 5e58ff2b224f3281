public import Libevent
public import Logging
public import Push
public import Web

/// The callers' interface on one loop: `/psp/push/…` and the probes. It translates between HTTP and the domain, and holds no rule
/// of its own: what may be pushed `Push` says by a request's own bytes, and the store by everything else.
///
/// ```swift
/// let front = PushFront(on: loop, store: port, clocks: clocks, configuration: .init(log: log))
/// let snapshot = try await port.subscribe { event in front.assumeIsolated { $0.apply(event) } }
/// await front.seed(snapshot)
/// try await front.start(listening: socket)
/// …
/// await front.announceEnd()
/// await front.shutdown()
/// ```
public actor PushFront: APIFront {
    /// What an operator may set.
    public struct Configuration: Sendable {
        /// How far a caller's clock may be from the server's, in milliseconds, either way.
        public var timestampWindow: Int64 = Authentication.defaultWindow
        /// What the listener bears.
        public var limits = HTTPLimits()
        /// The proxies whose word about a caller's address counts.
        public var forwarding: HTTPForwarding?
        /// Whether the process's loops have begun.
        public var readiness = Readiness()
        /// What operators follow.
        public var tracer = Tracer()
        /// Where the failures that are not the caller's fault are told.
        public var log: Logger

        /// The defaults.
        public init(log: Logger) { self.log = log }
    }

    /// What time it is, in milliseconds.
    public struct Clocks: Sendable {
        /// Unix time by this machine's clock.
        public var wall: @Sendable () -> Int64
        /// Unix time that callers' timestamps are compared with.
        public var callers: @Sendable () -> Int64
        /// Time that never jumps, for intervals.
        public var monotonic: @Sendable () -> Int64

        /// Both are asked often.
        /// - Parameter callers: `nil`: this machine's.
        public init(
            wall: @escaping @Sendable () -> Int64, callers: (@Sendable () -> Int64)? = nil,
            monotonic: @escaping @Sendable () -> Int64
        ) {
            self.wall = wall
            self.callers = callers ?? wall
            self.monotonic = monotonic
        }
    }

    /// Where it lives.
    public let loop: EventLoop
    /// The loop's port of the store.
    public let store: any StorePort
    /// Its listener.
    public let server: GracefulServer
    /// The process's.
    public let readiness: Readiness
    let clocks: Clocks
    let authentication: Authentication
    let tracer: Tracer
    var apps = AppCache()
    var turns = AppTurns()
    private var hasEndBegun = false
    /// Who was refused, until that is handed to the store.
    private var refusals = RefusalBook()
    /// What became of pushes.
    var pushes = PushesByInterface()

    /// The loop: a request is answered on the thread that read it.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Nothing is served before `start(listening:)`.
    /// - Parameters:
    ///   - store: the loop's port: its answers come back to this loop.
    ///   - clocks: asked on the loop only.
    public init(on loop: EventLoop, store: any StorePort, clocks: Clocks, configuration: Configuration) {
        self.loop = loop
        self.store = store
        self.clocks = clocks
        tracer = configuration.tracer
        authentication = Authentication(window: configuration.timestampWindow)
        readiness = configuration.readiness
        server = GracefulServer(
            for: Self.routes, limits: configuration.limits, forwarding: configuration.forwarding, log: configuration.log)
    }

    /// The server begins to end: balancers learn that it is not ready. Callers are served as ever until the shutdown.
    public func announceEnd() { hasEndBegun = true }

    /// Since ``announceEnd()``.
    public var isEnding: Bool { hasEndBegun || server.isShuttingDown }

    /// What became of pushes and other requests, and how many connections there are. Of devices it knows nothing.
    public var status: LoopStatus {
        var status = LoopStatus()
        (status.pushes, status.requests, status.callers) = (pushes, server.figures, server.connectionCount)
        return status
    }

    /// Counts a push that an operator has made.
    public func count(_ accepted: Accepted, of interface: Interface) { pushes[interface].count(accepted) }

    /// Pushes that made a task.
    public var pushesStored: UInt64 { pushes.sum.stored }

    // MARK: Refusals

    /// A request is about to be answered; who was refused is counted.
    @inlinable
    public func answered(_ request: Request<PushFront>, with reply: Reply, because error: (any Error)?) {
        if let note = reply.note { count(note, from: request.exchange) }
    }

    /// The same for one that has not come through the gate.
    public func turnedAway(
        _ exchange: HTTPExchange, _ headers: RequestHeaders, with reply: Reply, because error: any Error, id: String
    ) {
        if let note = reply.note { count(note, from: exchange) }
    }

    @usableFromInline
    func count(_ note: ReplyNote, from exchange: HTTPExchange) {
        guard case .refusal(let code, let caller) = note else { return }
        let key = RefusalCount.Key(.callers, name: caller, client: exchange.clientAddress, code: code)
        refusals.count(key, at: store.clock.now / 60_000)
    }

    /// Takes the refusals that were counted since the last time.
    public func takeRefusals() -> [RefusalCount] { refusals.take() }

    /// Callers may not.
    public static var tellsCauses: Bool { false }

    /// Takes the apps as of the snapshot at which the feed began. Call it before anything is served; what ``apply(_:)`` was told
    /// meanwhile is newer and stays.
    public func seed(_ snapshot: DirectorySnapshot) { apps.seed(with: snapshot.apps) }

    /// Keeps the apps true. On the loop, in the feed's order.
    public func apply(_ event: FeedEvent) {
        switch event {
        case .entries(_, _, let entries):
            for case .app(let key, let app) in entries { apps.apply(app, for: key) }
        case .gap(_, _, let snapshot): apps.replace(with: snapshot.apps)
        }
    }
}
