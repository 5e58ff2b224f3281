internal import CLibevent

/// A connection of an `HTTPServer`: what evhttp does not keep for us. Lives in the server's table until evhttp closes the connection.
final class HTTPPeer {
    enum State {
        /// Between two requests.
        case idle
        /// Some of a request has come.
        case arriving
        /// A handler has the request.
        case waiting
        /// The answer is on its way.
        case answering
        /// Taken from evhttp: a refusal is on its way, and what else comes is dropped.
        case refused
    }

    /// evhttp's connection.
    let connection: OpaquePointer
    /// Its bufferevent, which evhttp owns.
    let stream: OpaquePointer
    /// What evhttp has the bufferevent call, beside its own read callback.
    let callbacks: (write: bufferevent_data_cb?, event: bufferevent_event_cb?)
    /// Its place in the wheel of deadlines.
    let slot: Int
    let address: SocketAddress?
    // Safe: the service clears it when it dies, and the peer itself when it closes. (A weak reference would slow down every use of the service.)
    unowned(unsafe) var service: HTTPService?
    /// The request that a handler has.
    var pending: PendingRequest?
    var state = State.idle

    private var inputWatch: OpaquePointer?
    private var anchor: OpaquePointer?
    private var isAnchored = false
    private(set) var scan = HTTPHeadScan()
    /// How many bytes at the beginning of the input the scan has seen; evhttp has still to consume them.
    private var scanned = 0
    /// How many bytes have come since the request began.
    private var received = 0
    private var closesAfterAnswer = false
    /// The refusal has been written, or the peer's end of the stream read: what is left of the way to the end.
    var isRefusalWritten = false
    var isInputEnded = false

    /// How much input is read ahead while an answer is on its way: evhttp reads on without a bound. Before a close more is taken in, since
    /// closing with input unread would reset the connection, and might destroy the answer.
    static let readAhead = 4096
    private static let readAheadOfClose = 1024 * 1024

    init(connection: OpaquePointer, stream: OpaquePointer, slot: Int, service: HTTPService) {
        self.connection = connection
        self.stream = stream
        self.slot = slot
        self.service = service
        var write: bufferevent_data_cb?
        var event: bufferevent_event_cb?
        bufferevent_getcb(stream, nil, &write, &event, nil)
        callbacks = (write, event)
        address = SocketAddress(peerOf: bufferevent_getfd(stream))
        let context = Unmanaged.passUnretained(self).toOpaque()
        evhttp_connection_set_closecb(connection, { _, context in HTTPPeer.from(context)?.willClose() }, context)
        inputWatch = evbuffer_add_cb(
            input,
            { _, change, context in
                if let change {
                    HTTPPeer.from(context)?.inputDidChange(added: change.pointee.n_added, removed: change.pointee.n_deleted)
                }
            }, context)
        anchor = event_new(
            service.loop.turn.base, bufferevent_getfd(stream), ps_ev_read() | ps_ev_persist(),
            { _, _, context in HTTPPeer.from(context)?.weighAnchor() }, context)
        holdReading(true)
        LiveObjects.count(of: HTTPPeer.self, by: 1)
    }

    deinit { LiveObjects.count(of: HTTPPeer.self, by: -1) }

    // Unretained: the server's table holds the peer until `willClose`, after which evhttp does not call.
    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPPeer? {
        context.map { Unmanaged<HTTPPeer>.fromOpaque($0).takeUnretainedValue() }
    }

    var input: OpaquePointer? { bufferevent_get_input(stream) }

    var output: OpaquePointer? { bufferevent_get_output(stream) }

    var isDraining: Bool { service?.isDraining != false }

    var date: String { service?.date ?? "" }

    /// Whether nothing of a request is here or in the system's buffer: it can be closed without harm.
    var isQuiet: Bool { state == .idle && evbuffer_get_length(input) == 0 && ps_is_readable(bufferevent_getfd(stream)) == 0 }

    // MARK: Reading

    /// Keeps the system's interest in what comes in, though evhttp turns reading off and on with every request: a second event on the descriptor, so that the
    /// bufferevent's is not the last that goes. (Two calls of epoll_ctl a request less.) While it is held somebody must read what comes, or the loop would spin.
    func holdReading(_ isHeld: Bool) {
        guard isHeld != isAnchored else { return }
        isAnchored = isHeld
        if isHeld { event_add(anchor, nil) } else { event_del(anchor) }
    }

    /// Something can be read, or the stream has ended: if nobody reads any more, the loop must not hear of it either.
    private func weighAnchor() {
        if bufferevent_get_enabled(stream) & ps_ev_read() == 0 { holdReading(false) }
    }

    // MARK: The way of a request

    /// Called before evhttp looks at what has come, and after it has taken something.
    private func inputDidChange(added: Int, removed: Int) {
        scanned = max(0, scanned - removed)
        guard added > 0 else { return }
        switch state {
        case .idle:
            begin()
            received = added
        case .arriving: received += added
        case .waiting, .answering, .refused: return
        }
        examine()
    }

    /// evhttp takes a request line by line, and tells of each. Nothing of it matters when all of the request is there and in order.
    func watchInput(_ isWatched: Bool) {
        if isWatched {
            evbuffer_cb_set_flags(input, inputWatch, UInt32(EVBUFFER_CB_ENABLED))
        } else {
            evbuffer_cb_clear_flags(input, inputWatch, UInt32(EVBUFFER_CB_ENABLED))
        }
    }

    private func begin() {
        state = .arriving
        scan = HTTPHeadScan()
        scanned = 0
        service?.setDeadline(of: self)
    }

    private func examine() {
        guard let limits = service?.limits else { return }
        if !scan.isComplete {
            withUnscanned { scanned += scan.scan($0) }
        }
        guard isObjectionable(limits) else {
            if scan.isComplete, received >= scan.bytes + scan.evidence.announcedLength, !scan.evidence.hasTransferEncoding {
                watchInput(false)
            }
            return
        }
        let head = withScanned { scan.head(lastInput: $0) }
        // evhttp goes first: if the request is complete, it comes by the usual way.
        service?.loop.afterCallback { [weak self] in
            if let self, state == .arriving { refuse(head) }
        }
    }

    private func isObjectionable(_ limits: HTTPLimits) -> Bool {
        if scan.isComplete {
            return scan.evidence.verdict(.post) != .ok || scan.evidence.announcedLength > limits.maxBodyBytes
                || received > 2 * (limits.maxHeaderBytes + limits.maxBodyBytes)
        }
        return scan.evidence.isMalformed || received > limits.maxHeaderBytes
    }

    private func withUnscanned(_ body: (UnsafeRawBufferPointer) -> Void) {
        let count = evbuffer_get_length(input)
        guard count > scanned, let start = evbuffer_pullup(input, -1) else { return }
        body(UnsafeRawBufferPointer(start: start + scanned, count: count - scanned))
    }

    private func withScanned(_ body: (UnsafeRawBufferPointer) -> HTTPHead) -> HTTPHead {
        body(UnsafeRawBufferPointer(start: evbuffer_pullup(input, -1), count: evbuffer_get_length(input)))
    }

    // What the exchange is told.

    var headerBytes: Int { scan.isComplete ? scan.bytes : max(scan.bytes, received) }

    var refusedBodyBytes: Int { scan.isComplete ? max(scan.evidence.announcedLength, received - scan.bytes) : 0 }

    func framing(_ method: HTTPMethod) -> HTTPFraming { scan.evidence.verdict(method) }

    /// The request is complete: its handler's time is not limited here.
    func didArrive() {
        state = .waiting
        service?.clearDeadline(of: self)
    }

    /// The answer goes to evhttp; the peer has to read it in time.
    func willAnswer(_ request: OpaquePointer, closing: Bool) {
        state = .answering
        closesAfterAnswer = closing
        service?.setDeadline(of: self)
        // At the watermark nobody reads.
        holdReading(false)
        bufferevent_setwatermark(stream, ps_ev_read(), 0, closing ? Self.readAheadOfClose : Self.readAhead)
        // Unretained: evhttp calls it before it closes the connection or takes the next request from it.
        evhttp_request_set_on_complete_cb(
            request, { _, context in HTTPPeer.from(context)?.didAnswer() }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func didAnswer() {
        service?.clearDeadline(of: self)
        if closesAfterAnswer { return closeAfterAnswer() }
        state = .idle
        bufferevent_setwatermark(stream, ps_ev_read(), 0, 0)
        holdReading(true)
        watchInput(true)
        let count = evbuffer_get_length(input)
        if count > 0 {
            // A request that was sent ahead.
            begin()
            received = count
            examine()
        }
        service?.didBecomeIdle()
    }

    /// evhttp closes now by itself, except after CONNECT, where it goes on to read requests: there must be none.
    private func closeAfterAnswer() {
        evbuffer_drain(input, evbuffer_get_length(input))
        state = .refused
        service?.loop.afterCallback { [weak self] in self?.close() }
    }

    // MARK: The end

    /// Closes the connection. Not from inside one of evhttp's callbacks for it.
    func close() {
        guard service != nil else { return }
        evhttp_connection_free(connection)
    }

    private func willClose() {
        if let inputWatch { evbuffer_remove_cb_entry(input, inputWatch) }
        inputWatch = nil
        // Before the descriptor is closed.
        if let anchor { event_free(anchor) }
        anchor = nil
        pending?.connectionWillClose()
        pending = nil
        let service = service
        self.service = nil
        service?.didClose(self)
    }
}
