internal import CLibevent
internal import Glibc

/// The part of an `HTTPServer` that evhttp calls, and that dies on the loop.
final class HTTPService {
    let loop: EventLoop
    let limits: HTTPLimits
    /// What the connections' TLS begins with; nil: they are in clear.
    let security: TLSSource?
    let forwarding: HTTPForwarding?
    let judge: (HTTPRequestHead) -> HTTPBodyVerdict
    private let handler: (sending HTTPExchange) -> Void
    private let http: OpaquePointer
    private var deadlines: DeadlineWheel?
    private let transferTimeout: Int64
    private let idleTimeout: Int64
    private let requestTimeout: Int64
    /// The `Keep-Alive` header of replies; nil where the idle time is too short to be announced.
    let keepAlive: String?
    private var dateHeader = HTTPDate()

    /// By the bufferevent that evhttp has for it.
    private(set) var connections: [OpaquePointer: HTTPConnection] = [:]
    /// By their slot in the wheel; nil: the slot is free.
    private var slots: [HTTPConnection?] = []
    private var freeSlots: [Int] = []

    /// A handler is being called from within evhttp.
    private(set) var isDispatching = false
    /// Where answers are put together; kept, as it is needed for each.
    var replyBuffer: [UInt8] = []

    private var intake: (any HTTPIntake)?
    private(set) var isDraining = false
    private(set) var timeouts = HTTPTimeouts()
    var onEmpty: (() -> Void)?
    var onInsecure: ((TLSFailure, SocketAddress?) -> Void)?
    lazy var listeners = HTTPListeners(http: http, loop: loop)
    /// The connections of all servers that share a bound.
    let crowd: HTTPCrowd

    init(
        on loop: EventLoop, limits: HTTPLimits, security: TLSSource? = nil, forwarding: HTTPForwarding? = nil,
        crowd: HTTPCrowd? = nil, judge: @escaping (HTTPRequestHead) -> HTTPBodyVerdict,
        handler: @escaping (sending HTTPExchange) -> Void
    ) throws(LibeventError) {
        loop.preconditionOwned()
        guard let http = evhttp_new(loop.turn.base) else { throw .library(call: "evhttp_new") }
        self.loop = loop
        self.limits = limits
        self.security = security
        self.forwarding = forwarding
        self.crowd = crowd ?? HTTPCrowd(on: loop, limits)
        transferTimeout = limits.transferTimeout.nanoseconds
        idleTimeout = limits.idleTimeout.nanoseconds
        requestTimeout = limits.requestTimeout.nanoseconds
        let announced = limits.idleTimeout.components.seconds - 1
        keepAlive = announced > 0 ? "timeout=\(announced)" : nil
        self.judge = judge
        self.handler = handler
        self.http = http
        self.crowd.join(self)
        // Unretained: evhttp is freed in deinit, and the event with it.
        let context = Unmanaged.passUnretained(self).toOpaque()
        intake = loop.way == .direct ? try DirectIntake(self) : PlainIntake(self)
        deadlines = try DeadlineWheel(on: loop) { [unowned self] slot in expire(slot) }
        configure(context)
    }

    private func configure(_ context: UnsafeMutableRawPointer) {
        // Above what `HTTPConnection` lets through, whatever comes with one read (16 KiB): it refuses in the handler's words,
        // evhttp in its own.
        evhttp_set_max_headers_size(http, 2 * limits.maxHeaderBytes + 64 * 1024)
        evhttp_set_max_body_size(http, -1)
        // All, even those that evhttp does not know: it would answer 501 with a page of its own.
        evhttp_set_allowed_methods(http, .max)
        evhttp_set_default_content_type(http, nil)
        evhttp_set_bevcb(http, { base, context in HTTPService.from(context)?.makeStream(base) }, context)
        evhttp_set_gencb(http, { request, context in HTTPService.from(context)?.didRequest(request) }, context)
    }

    deinit {
        listeners.close()
        let open = Array(connections.values)
        for connection in open {
            connection.service = nil
            crowd.didClose(connection)
        }
        crowd.leave(self)
        // Calls `willClose` of each connection that evhttp has told us of.
        evhttp_free(http)
        for connection in open { connection.willClose() }
        intake?.free()
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPService? {
        context.map { Unmanaged<HTTPService>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Connections

    /// evhttp accepts a connection and asks for its bufferevent.
    private func makeStream(_ base: OpaquePointer?) -> OpaquePointer? {
        guard let intake, let stream = intake.makeStream(on: base) else { return nil }
        listeners.didAccept(full: crowd.willBeFull(with: intake.pendingCount))
        return stream
    }

    /// Takes a connection into the table.
    @discardableResult
    func adopt(_ link: any HTTPLink) -> HTTPConnection {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        let connection = HTTPConnection(link, slot: slot, service: self)
        slots[slot] = connection
        connections[link.stream] = connection
        if security == nil || idleTimeout < transferTimeout {
            limitIdleTime(of: connection)
        } else {
            limitTransferTime(of: connection)
        }
        crowd.didAdopt(connection)
        return connection
    }

    func didClose(_ connection: HTTPConnection) {
        deadlines?.remove(connection.slot)
        slots[connection.slot] = nil
        freeSlots.append(connection.slot)
        connections[connection.stream] = nil
        crowd.didClose(connection)
        if isDraining && connections.isEmpty { loop.afterCallback { [weak self] in self?.tellIfEmpty() } }
    }

    // MARK: Deadlines

    // All by the wheel, and none by libevent: when a loop comes late, libevent takes a time that is over for more urgent than
    // what waits in the socket, and a request that came in time is lost. In the wheel a deadline mostly moves away, which is one
    // store.

    /// A connection is closed, as its time is over. That nothing came on one that was kept is no fault of its peer.
    func countTimeout(in state: HTTPConnection.State) {
        switch state {
        case .arriving: timeouts.requests += 1
        case .answering: timeouts.answers += 1
        case .idle, .refused, .waiting, .streaming: break
        }
    }

    func limitTransferTime(of connection: HTTPConnection) {
        // A request that comes as slowly as it may ends all the same.
        let left = connection.state == .arriving ? restOfRequestTime(of: connection) : .max
        deadlines?.set(connection.slot, afterNanoseconds: min(transferTimeout, left))
    }

    /// What is left of the time that a request may take in all.
    func restOfRequestTime(of connection: HTTPConnection) -> Int64 { connection.since + requestTimeout - loop.monotonicNow }

    func limitIdleTime(of connection: HTTPConnection) { deadlines?.set(connection.slot, afterNanoseconds: idleTimeout) }

    /// The handshake's time is over, and it is done: the rest of the idle time follows.
    /// - Returns: whether there is any.
    func limitRestOfIdleTime(of connection: HTTPConnection) -> Bool {
        let rest = connection.since + idleTimeout - loop.monotonicNow
        guard rest > 0, !isDraining, connection.link.transport.isEncrypted, connection.link.transport.isEstablished else {
            return false
        }
        deadlines?.set(connection.slot, afterNanoseconds: rest)
        return true
    }

    /// Only the peer's end of the stream is waited for.
    func limitLingering(of connection: HTTPConnection) {
        deadlines?.set(connection.slot, afterNanoseconds: Self.lingeringWhileDraining)
    }

    /// What is in the socket is read in the next passes of the loop.
    func limitLateTime(of connection: HTTPConnection) {
        deadlines?.set(connection.slot, afterNanoseconds: Self.lateTime)
    }

    /// A handshake is finished, and the first request begun, or nobody waits for it.
    func limitHandshakeWhileDraining(of connection: HTTPConnection) {
        deadlines?.set(connection.slot, afterNanoseconds: Self.handshakeWhileDraining)
    }

    private static let lateTime: Int64 = 1_000_000_000
    private static let lingeringWhileDraining: Int64 = 200_000_000
    private static let handshakeWhileDraining: Int64 = 1_000_000_000

    /// A handler is at work, or a stream goes on.
    func limitNoTime(of connection: HTTPConnection) { deadlines?.set(connection.slot, afterNanoseconds: Self.never) }

    private static let never = Int64.max / 4

    private func expire(_ slot: Int) { slots[slot]?.deadlineHasCome() }

    /// The connection that has that place now.
    func connection(at slot: Int) -> HTTPConnection? { slots[slot] }

    // MARK: Requests

    private func didRequest(_ request: OpaquePointer?) {
        guard let request else { return }
        loop.turn.callback {
            guard
                let connection = evhttp_request_get_connection(request).flatMap(evhttp_connection_get_bufferevent)
                    .flatMap({ connections[$0] })
            else {
                // Not a connection of ours: cannot be, but a request must not be left without an answer.
                assertionFailure("a request without a known connection")
                evhttp_send_error(request, 500, nil)
                return
            }
            connection.didArrive(request)
            let pending = PendingRequest(.evhttp(request), of: connection)
            connection.pending = pending
            isDispatching = true
            handle(pending, of: connection)
            isDispatching = false
        }
    }

    func handle(_ pending: PendingRequest, of connection: HTTPConnection) {
        // Safe: nobody else knows the exchange; it stays on this loop, whoever takes it.
        nonisolated(unsafe) let exchange = HTTPExchange(pending, of: connection, on: loop)
        handler(exchange)
    }

    /// The Date header of this turn.
    var date: String { dateHeader.text(at: loop.wallClockMilliseconds) }

    // MARK: The end

    func drain() {
        isDraining = true
        for connection in connections.values { connection.serverDrains() }
        closeQuietConnections()
        if connections.isEmpty { loop.afterCallback { [weak self] in self?.tellIfEmpty() } }
    }

    func didBecomeIdle() {
        if isDraining { loop.afterCallback { [weak self] in self?.closeQuietConnections() } }
    }

    private func closeQuietConnections() {
        for connection in Array(connections.values) where connection.isQuiet && connection.link.transport.isEstablished {
            connection.close()
        }
    }

    private func tellIfEmpty() {
        guard isDraining, connections.isEmpty, let tell = onEmpty else { return }
        onEmpty = nil
        tell()
    }
}

extension SocketAddress {
    /// The address of a connected socket's other end; nil when it is not connected any more.
    init?(peerOf descriptor: Int32) {
        var storage = sockaddr_storage()
        guard ps_peer_address(descriptor, &storage) == 0 else { return nil }
        self.init(storage)
    }
}
