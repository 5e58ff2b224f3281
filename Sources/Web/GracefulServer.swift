public import Libevent
public import Logging

/// An HTTP server that knows which requests are in flight, so that it can end without leaving one unanswered. Belongs to its
/// front, on the front's loop.
public final class GracefulServer {
    /// What the listener bears.
    public let limits: HTTPLimits
    private let forwarding: HTTPForwarding?
    private let log: Logger
    private var notes: ReplyLog
    private let meter: RequestMeter
    private var ids = RequestIDs()
    /// Told each request just before its reply goes out, while somebody wants to know.
    public var onReply: ((HTTPExchange, _ id: String, Reply) -> Void)?
    private var crowd: CrowdLog
    /// One a socket.
    private var servers: [HTTPServer] = []
    private var loop: EventLoop?
    /// The most bytes of a body that is taken in one piece.
    @usableFromInline let maxWholeBody: Int
    /// Bodies that are taken piece by piece, as long as they come and are being taken: two of the largest, or more of others.
    @usableFromInline let largeBodies: BodyBudget
    /// Requests that have come and are not answered yet.
    private var inFlight = 0
    private var hasShutdownBegun = false
    private var shutdown: CheckedContinuation<Void, Never>?
    private var patience: Timer?
    /// Servers that still have connections.
    private var draining = 0
    /// Every connection has ended, or the time for it is over.
    private var isDrained = false

    /// Nothing is served before ``Front/start(listening:)``.
    /// - Parameters:
    ///   - routes: what they take piece by piece may be larger than the limits say.
    ///   - limits: `maxBodyBytes` is of bodies that are taken in one piece.
    ///   - forwarding: the proxies whose word about a client counts; `nil`: there are none.
    ///   - log: where refusals and failures are told.
    public init<Service>(for routes: RouteTable<Service>, limits: HTTPLimits, forwarding: HTTPForwarding? = nil, log: Logger) {
        var limits = limits
        maxWholeBody = limits.maxBodyBytes
        limits.maxBodyBytes = routes.maxBodyBytes(whole: maxWholeBody)
        largeBodies = BodyBudget(2 * limits.maxBodyBytes)
        self.limits = limits
        self.forwarding = forwarding
        self.log = log
        meter = RequestMeter(kinds: routes.kinds)
        notes = ReplyLog(log)
        crowd = CrowdLog(log)
    }

    /// Serves what comes in on the socket, beside those that it serves already. On the loop.
    @usableFromInline
    func listen(
        on socket: ListeningSocket, security: TLSSource?, loop: EventLoop, judge: @escaping (HTTPRequestHead) -> HTTPBodyVerdict,
        handler: @escaping (sending HTTPExchange) -> Void
    ) throws(LibeventError) {
        let server = try HTTPServer(
            on: loop, limits: limits, security: security, forwarding: forwarding, sharingRoomWith: servers.first, judge: judge,
            handler: handler)
        server.onAcceptError = { [unowned self] error in crowd.couldNotAccept(because: error) }
        server.onPressure = { [unowned self] pressure in
            crowd.count(pressure)
            meter.count(pressure)
        }
        server.onInsecure = { [unowned self] failure, peer in crowd.handshakeFailed(because: failure, from: peer) }
        try server.listen(on: socket)
        servers.append(server)
        self.loop = loop
    }

    /// How many connections it has.
    public var connectionCount: Int { servers.reduce(0) { $0 + $1.connectionCount } }

    /// What it has counted of its requests.
    public var figures: RequestFigures {
        var figures = meter.figures
        for server in servers { figures.timeouts += server.timeouts }
        return figures
    }

    // MARK: Requests

    @usableFromInline
    func requestBegan() { inFlight += 1 }

    /// A name for a request that brings none.
    @usableFromInline
    func makeRequestID() -> String { ids.next() }

    /// Sends the reply to a request.
    /// - Parameters:
    ///   - id: by what it is called.
    ///   - kind: of request, as its route says.
    ///   - duration: how long it took, in nanoseconds; `nil` where it came to no handler.
    @usableFromInline
    func respond(to exchange: HTTPExchange, with reply: Reply, id: String, kind: Int, after duration: Int64?) {
        meter.count(kind: kind, status: reply.status, after: duration)
        if let onReply { onReply(exchange, id, reply) }
        if let note = reply.note {
            meter.countRefusal(kind: kind, code: note.code)
            notes.write(note, about: exchange, id: id)
        }
        var headers = reply.contentType.headers
        for (name, value) in reply.headers { headers.append((name, value)) }
        exchange.reply(
            status: reply.status, headers: headers, body: reply.body, requestID: id, close: reply.closes || hasShutdownBegun)
    }

    /// Answers a request by a stream, which a shutdown ends.
    func openEventStream(
        for exchange: HTTPExchange, id: String, on loop: EventLoop, keepAlive: Duration
    ) throws(LibeventError) -> EventStream {
        let stream = try EventStream(answering: exchange, id: id, on: loop, keepAlive: keepAlive)
        // Libevent tells a shutdown to the streams that there are when it begins.
        if hasShutdownBegun { stream.closeLater() }
        return stream
    }

    @usableFromInline
    func requestEnded() {
        inFlight -= 1
        // The answer has just been written: closing now would cut it off.
        if isDrained, inFlight == 0, let patience {
            isDrained = false
            patience.restart(after: Self.lastAnswerTime)
        }
        finishShutdownIfDone()
    }

    /// How long an answer that comes when the time for it is over has to reach its peer.
    private static let lastAnswerTime = Duration.milliseconds(250)

    /// Whoever had a request has let it go unanswered, perhaps on another thread.
    @usableFromInline
    func requestWasDropped() {
        guard let loop, !loop.isCurrent else { return requestEnded() }
        // Safe: only the loop goes on with it.
        nonisolated(unsafe) let server = self
        loop.execute { server.requestEnded() }
    }

    // MARK: The end

    /// Whether a shutdown has begun.
    public var isShuttingDown: Bool { hasShutdownBegun }

    /// Accepts what waits in the system's queue and nothing more, answers what is in flight with `Connection: close`, and returns
    /// when nothing is. Peers that send or read too slowly are let go after `patience`.
    func shutDown(on loop: EventLoop, patience limit: Duration) async {
        guard !hasShutdownBegun else { return }
        hasShutdownBegun = true
        guard !servers.isEmpty else { return }
        draining = servers.count
        do {
            patience = try Timer(on: loop, after: limit) { [unowned self] in didDrain() }
            for server in servers { try server.stopAccepting() }
        } catch {
            // Neither a timer nor an event could be made: what waits in the queue is reset, what is in flight is still answered.
            log.error("the listener could not be drained", metadata: ["cause": "\(error)"])
            didDrain()
        }
        // Each as soon as it accepts no more: one that is flooded does not have the others' connections kept.
        var accepting = servers
        while !accepting.isEmpty && !isDrained {
            for server in accepting where !server.isAccepting { drain(server) }
            accepting.removeAll { !$0.isAccepting }
            if !accepting.isEmpty { await loop.nextTurn() }
        }
        for server in accepting { drain(server) }
        await withCheckedContinuation { continuation in
            shutdown = continuation
            finishShutdownIfDone()
        }
        patience?.cancel()
        patience = nil
        servers = []
    }

    private func drain(_ server: HTTPServer) {
        server.onEmpty = { [unowned self] in didEmpty() }
        server.drain()
    }

    private func didEmpty() {
        draining -= 1
        if draining == 0 { didDrain() }
    }

    private func didDrain() {
        isDrained = true
        finishShutdownIfDone()
    }

    private func finishShutdownIfDone() {
        guard isDrained, inFlight == 0, let waiting = shutdown else { return }
        shutdown = nil
        waiting.resume()
    }
}
