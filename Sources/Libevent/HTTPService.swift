internal import CLibevent
internal import Glibc

/// The part of an `HTTPServer` that evhttp calls, and that dies on the loop.
final class HTTPService {
    let loop: EventLoop
    let limits: HTTPLimits
    let judge: (HTTPRequestHead) -> HTTPBodyVerdict
    private let handler: (sending HTTPExchange) -> Void
    private let http: OpaquePointer
    private var deadlines: DeadlineWheel?
    private let transferTimeout: Int64
    private var dateHeader = HTTPDate()

    /// By evhttp's connection.
    private(set) var peers: [OpaquePointer: HTTPPeer] = [:]
    /// By their slot in the wheel; nil: the slot is free.
    private var slots: [HTTPPeer?] = []
    private var freeSlots: [Int] = []

    /// A handler is being called from within evhttp.
    private(set) var isDispatching = false
    /// Where answers are put together.
    var replyBuffer: [UInt8] = []

    /// Bufferevents of connections that are just being accepted.
    private var fresh: [OpaquePointer] = []
    private var adopting: OpaquePointer?
    private(set) var isDraining = false
    var onEmpty: (() -> Void)?
    lazy var doors = HTTPDoors(http: http, loop: loop)

    init(
        on loop: EventLoop, limits: HTTPLimits, judge: @escaping (HTTPRequestHead) -> HTTPBodyVerdict,
        handler: @escaping (sending HTTPExchange) -> Void
    ) throws(LibeventError) {
        loop.preconditionOwned()
        guard let http = evhttp_new(loop.turn.base) else { throw .library(call: "evhttp_new") }
        self.loop = loop
        self.limits = limits
        transferTimeout = limits.transferTimeout.nanoseconds
        self.judge = judge
        self.handler = handler
        self.http = http
        // Unretained: evhttp is freed in deinit, and the event with it.
        let context = Unmanaged.passUnretained(self).toOpaque()
        adopting = event_new(loop.turn.base, -1, 0, { _, _, context in HTTPService.from(context)?.adopt() }, context)
        deadlines = try DeadlineWheel(on: loop) { [unowned self] slot in expire(slot) }
        configure(context)
    }

    private func configure(_ context: UnsafeMutableRawPointer) {
        // Above what `HTTPPeer` lets through, whatever comes with one read (16 KiB): it refuses in the handler's words, evhttp in
        // its own.
        evhttp_set_max_headers_size(http, 2 * limits.maxHeaderBytes + 64 * 1024)
        evhttp_set_max_body_size(http, -1)
        var idle = timeval(limits.idleTimeout)
        evhttp_set_timeout_tv(http, &idle)
        // All, even those that evhttp does not know: it would answer 501 with a page of its own.
        evhttp_set_allowed_methods(http, .max)
        evhttp_set_default_content_type(http, nil)
        evhttp_set_bevcb(http, { base, context in HTTPService.from(context)?.makeStream(base) }, context)
        evhttp_set_gencb(http, { request, context in HTTPService.from(context)?.didRequest(request) }, context)
    }

    deinit {
        doors.close()
        for peer in peers.values { peer.service = nil }
        // Calls each peer's `willClose`.
        evhttp_free(http)
        if let adopting { event_free(adopting) }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPService? {
        context.map { Unmanaged<HTTPService>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Connections

    /// evhttp accepts a connection and asks for its bufferevent. It names the connection itself only with its first request,
    /// which may never come; but the bufferevent's callback context is evhttp's connection, as soon as this callback's caller is
    /// done. So an event of ours is made active behind it: it runs in this very pass, before anything can happen to the
    /// connection.
    private func makeStream(_ base: OpaquePointer?) -> OpaquePointer? {
        // evhttp closes the descriptor itself.
        guard let stream = bufferevent_socket_new(base, -1, 0) else { return nil }
        fresh.append(stream)
        if let adopting { event_active(adopting, Int32(EV_TIMEOUT), 0) }
        doors.didAccept(full: peers.count + fresh.count >= limits.maxConnections)
        return stream
    }

    private func adopt() {
        for stream in fresh {
            guard let connection = ps_http_connection(stream) else { continue }
            let slot = freeSlots.popLast() ?? slots.count
            if slot == slots.count { slots.append(nil) }
            let peer = HTTPPeer(connection: connection, stream: stream, slot: slot, service: self)
            slots[slot] = peer
            peers[connection] = peer
        }
        fresh.removeAll(keepingCapacity: true)
    }

    func didClose(_ peer: HTTPPeer) {
        deadlines?.remove(peer.slot)
        slots[peer.slot] = nil
        freeSlots.append(peer.slot)
        peers[peer.connection] = nil
        if peers.count < limits.maxConnections { doors.hasRoom() }
        if isDraining && peers.isEmpty { loop.afterCallback { [weak self] in self?.tellIfEmpty() } }
    }

    func setDeadline(of peer: HTTPPeer) { deadlines?.set(peer.slot, afterNanoseconds: transferTimeout) }

    func clearDeadline(of peer: HTTPPeer) { deadlines?.remove(peer.slot) }

    private func expire(_ slot: Int) { slots[slot]?.close() }

    // MARK: Requests

    private func didRequest(_ request: OpaquePointer?) {
        guard let request else { return }
        loop.turn.callback {
            guard let peer = evhttp_request_get_connection(request).flatMap({ peers[$0] }) else {
                // Not a connection of ours: cannot be, but a request must not be left without an answer.
                assertionFailure("a request without a known connection")
                evhttp_send_error(request, 500, nil)
                return
            }
            peer.didArrive()
            let pending = PendingRequest(.evhttp(request), of: peer)
            peer.pending = pending
            isDispatching = true
            handle(pending, of: peer)
            isDispatching = false
            if peer.state == .waiting { peer.readWhileWaiting() }
        }
    }

    func handle(_ pending: PendingRequest, of peer: HTTPPeer) {
        // Safe: nobody else knows the exchange; it stays on this loop, whoever takes it.
        nonisolated(unsafe) let exchange = HTTPExchange(pending, of: peer, on: loop)
        handler(exchange)
    }

    /// The Date header of this turn.
    var date: String { dateHeader.text(at: loop.wallClockMilliseconds) }

    // MARK: The end

    func drain() {
        isDraining = true
        for peer in peers.values { peer.streamedReply?.tell(.serverDrains) }
        closeQuietPeers()
        if peers.isEmpty { loop.afterCallback { [weak self] in self?.tellIfEmpty() } }
    }

    func didBecomeIdle() {
        if isDraining { loop.afterCallback { [weak self] in self?.closeQuietPeers() } }
    }

    private func closeQuietPeers() {
        for peer in Array(peers.values) where peer.isQuiet { peer.close() }
    }

    private func tellIfEmpty() {
        guard isDraining, peers.isEmpty, let tell = onEmpty else { return }
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
