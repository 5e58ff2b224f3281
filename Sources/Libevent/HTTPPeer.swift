internal import CLibevent

/// evhttp's request while it waits for its answer.
final class PendingRequest {
    /// Nil when it was answered, or went with its connection.
    private(set) var request: OpaquePointer?
    private weak var connection: HTTPPeer?

    init(_ request: OpaquePointer, of connection: HTTPPeer?) {
        self.request = request
        self.connection = connection
    }

    /// Hands the answer to evhttp, whose headers and body are in the request already. Without a connection that only frees the request.
    func send(status: Int32, closing: Bool) {
        guard let request else { return }
        self.request = nil
        if evhttp_request_get_connection(request) != nil { connection?.willAnswer(request, closing: closing) }
        evhttp_send_reply(request, status, nil, nil)
    }

    /// The connection goes. evhttp frees the request with it, unless it has taken it off before.
    func connectionWillClose() {
        if let request, evhttp_request_get_connection(request) != nil { self.request = nil }
    }
}

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
    }

    /// evhttp's connection.
    let connection: OpaquePointer
    /// Its bufferevent, which evhttp owns.
    let stream: OpaquePointer
    /// Its place in the wheel of deadlines.
    let slot: Int
    let address: SocketAddress?
    weak var service: HTTPService?
    weak var pending: PendingRequest?
    private(set) var state = State.idle
    private var inputWatch: OpaquePointer?

    /// How much input is read ahead while an answer is on its way: evhttp reads on without a bound.
    private static let readAhead = 4096

    init(connection: OpaquePointer, stream: OpaquePointer, slot: Int, service: HTTPService) {
        self.connection = connection
        self.stream = stream
        self.slot = slot
        self.service = service
        address = SocketAddress(peerOf: bufferevent_getfd(stream))
        let context = Unmanaged.passUnretained(self).toOpaque()
        evhttp_connection_set_closecb(connection, { _, context in HTTPPeer.from(context)?.willClose() }, context)
        inputWatch = evbuffer_add_cb(
            bufferevent_get_input(stream),
            { _, change, context in
                if let change, change.pointee.n_added > 0 { HTTPPeer.from(context)?.didReceive() }
            }, context)
        LiveObjects.count(of: HTTPPeer.self, by: 1)
    }

    deinit { LiveObjects.count(of: HTTPPeer.self, by: -1) }

    // Unretained: the server's table holds the peer until `willClose`, after which evhttp does not call.
    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPPeer? {
        context.map { Unmanaged<HTTPPeer>.fromOpaque($0).takeUnretainedValue() }
    }

    private var hasInput: Bool { evbuffer_get_length(bufferevent_get_input(stream)) > 0 }

    /// Whether nothing of a request is here or in the system's buffer: it can be closed without harm.
    var isQuiet: Bool { state == .idle && !hasInput && ps_is_readable(bufferevent_getfd(stream)) == 0 }

    // MARK: The way of a request

    /// Bytes have come; called before evhttp looks at them.
    private func didReceive() {
        guard state == .idle else { return }
        beginArrival()
    }

    private func beginArrival() {
        state = .arriving
        service?.setDeadline(of: self)
    }

    /// The request is complete: its handler's time is not limited here.
    func didArrive() {
        state = .waiting
        service?.clearDeadline(of: self)
    }

    /// The answer goes to evhttp; the peer has to read it in time.
    func willAnswer(_ request: OpaquePointer, closing: Bool) {
        state = .answering
        if closing || service?.isDraining != false {
            evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close")
        }
        service?.setDeadline(of: self)
        bufferevent_setwatermark(stream, ps_ev_read(), 0, Self.readAhead)
        // Unretained: evhttp calls it before it closes the connection or takes the next request from it.
        evhttp_request_set_on_complete_cb(
            request, { _, context in HTTPPeer.from(context)?.didAnswer() }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func didAnswer() {
        service?.clearDeadline(of: self)
        state = .idle
        bufferevent_setwatermark(stream, ps_ev_read(), 0, 0)
        // A request that was sent ahead.
        if hasInput { beginArrival() }
        service?.didBecomeIdle()
    }

    // MARK: The end

    /// Closes the connection. Not from inside one of evhttp's callbacks for it.
    func close() { evhttp_connection_free(connection) }

    private func willClose() {
        if let inputWatch { evbuffer_remove_cb_entry(bufferevent_get_input(stream), inputWatch) }
        inputWatch = nil
        pending?.connectionWillClose()
        service?.didClose(self)
    }
}
