/// An HTTP/1.1 server on one loop, over evhttp.
///
/// The handler gets each request when it is complete. Requests of one connection come one after the other, also when they were
/// sent ahead (pipelining): the next is read when the one before has been answered.
///
/// The end, in this order: `stopAccepting()`, `drain()`, wait for `onEmpty` (with a time limit of yours), let the server go.
/// Letting it go closes what is left; exchanges that are still out may be answered without effect.
public final class HTTPServer {
    private let loop: EventLoop
    private let service: HTTPService

    /// Makes a server that listens nowhere yet. On the loop's thread only.
    ///
    /// - Parameters:
    ///   - security: what the connections' TLS begins with; nil: they are in clear. A handshake may take
    ///     `HTTPLimits.transferTimeout`.
    ///   - forwarding: the proxies whose word about the client counts; nil: there are none.
    ///   - other: another server of the same owner, on the same loop: their connections count together, for one bound.
    ///   - judge: asked when the head of a request is there and its body is not, how much body may come, before more is kept than
    ///     came with the head; not asked about what is refused in any case. It answers at once, by the head alone. A request that
    ///     comes in one piece, as most do, goes straight to the handler.
    ///   - handler: called on the loop with each request. Capture the server's owner `unowned` (the example at `EventLoop`).
    public init(
        on loop: EventLoop, limits: HTTPLimits = HTTPLimits(), security: TLSSource? = nil,
        forwarding: HTTPForwarding? = nil, sharingRoomWith other: HTTPServer? = nil,
        judge: @escaping (HTTPRequestHead) -> HTTPBodyVerdict = { _ in .accept(upTo: .max) },
        handler: @escaping (sending HTTPExchange) -> Void
    ) throws(LibeventError) {
        self.loop = loop
        service = try HTTPService(
            on: loop, limits: limits, security: security, forwarding: forwarding, crowd: other?.service.crowd, judge: judge,
            handler: handler)
    }

    deinit { loop.release(service) }

    /// Serves the connections of a socket, which is taken. May be called for several.
    public func listen(on socket: ListeningSocket) throws(LibeventError) { try service.listeners.open(socket) }

    /// How many connections are open.
    public var connectionCount: Int { service.connections.count }

    /// How many connections it has closed because their peer was too slow.
    public var timeouts: HTTPTimeouts { service.timeouts }

    /// Told on the loop when connections could not be accepted; it goes on by itself. For the log and a metric.
    public var onAcceptError: ((LibeventError) -> Void)? {
        get { service.listeners.onAcceptError }
        set { service.listeners.onAcceptError = newValue }
    }

    /// Told on the loop for each new connection that there was no room for.
    public var onPressure: ((ConnectionPressure) -> Void)? {
        get { service.crowd.onPressure }
        set { service.crowd.onPressure = newValue }
    }

    /// Told on the loop of each connection that ended because its handshake failed, or what came after it was no TLS.
    public var onInsecure: ((TLSFailure, SocketAddress?) -> Void)? {
        get { service.onInsecure }
        set { service.onInsecure = newValue }
    }

    /// Accepts what waits in the system's queue, which closing would reset, then closes the listening sockets: in this turn if
    /// nothing waits, within a second in any case.
    public func stopAccepting() throws(LibeventError) { try service.listeners.closeWhenDrained() }

    /// Whether a listening socket is still open.
    public var isAccepting: Bool { service.listeners.isOpen }

    /// From now on answers say `Connection: close`, and connections close when nothing of a request is there.
    public func drain() { service.drain() }

    /// Told once on the loop when the server drains and no connection is left. Set it before `drain()`.
    public var onEmpty: (() -> Void)? {
        get { service.onEmpty }
        set { service.onEmpty = newValue }
    }
}
