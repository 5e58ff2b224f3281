internal import CLibevent

/// A request that waits for its answer.
final class PendingRequest {
    enum Source {
        /// evhttp's request, complete.
        case evhttp(OpaquePointer)
        /// Nothing but the head, which evhttp has no request for yet.
        case refused(HTTPRequestHead)
        /// It was answered, or went with its connection.
        case gone
    }

    private(set) var source: Source
    // Safe: the connection clears it before it goes.
    private unowned(unsafe) var connection: HTTPConnection?

    init(_ source: Source, of connection: HTTPConnection) {
        self.source = source
        self.connection = connection
    }

    /// Hands the answer over. Again, or when the connection has gone: no effect.
    func send(_ answer: HTTPAnswer) {
        let source = source
        self.source = .gone
        switch source {
        case .evhttp(let request): send(answer, to: request)
        case .refused: connection?.answerRefused(answer.closed)
        case .gone: break
        }
    }

    private func send(_ answer: HTTPAnswer, to request: OpaquePointer) {
        if let connection, connection.link.answerNow(answer, to: request) { return }
        let headers = evhttp_request_get_output_headers(request)
        for (name, value) in answer.headers { add(name, value, to: headers) }
        if let id = answer.requestID { add("X-Request-Id", id, to: headers) }
        if answer.canHaveBody && answer.isLengthTold {
            add("Content-Length", String(answer.body.count), to: headers)
            if answer.isBodySent && !answer.body.isEmpty {
                let result = evbuffer_add(evhttp_request_get_output_buffer(request), answer.body, answer.body.count)
                precondition(result == 0, "evbuffer_add: no memory")
            }
        }
        // Nil when the peer has gone while the handler was at work; evhttp only frees the request then.
        if let connection, evhttp_request_get_connection(request) != nil {
            let closing = answer.closing || connection.closesNext
            addConnection(of: connection, closing: closing, to: request)
            add("Date", connection.date, to: headers)
            connection.willAnswer(request, count: answer.body.count, closing: closing)
        }
        evhttp_send_reply(request, Int32(answer.status), nil, nil)
        connection?.link.didHandOver()
    }

    /// Begins an answer whose body comes later.
    func startStream(status: Int, headers: [(String, String)], on loop: EventLoop) -> StreamedReply {
        guard case .evhttp(let request) = source, let connection, evhttp_request_get_connection(request) != nil else {
            // The peer has left; evhttp only frees the request then.
            if case .evhttp(let request) = source { evhttp_send_reply(request, Int32(status), nil, nil) }
            source = .gone
            let reply = StreamedReply(on: loop)
            reply.tell(.disconnected)
            return reply
        }
        source = .gone
        let output = evhttp_request_get_output_headers(request)
        for (name, value) in headers { add(name, value, to: output) }
        addConnection(of: connection, closing: connection.closesNext || !connection.arrival.scan.isHTTP11, to: request)
        add("Date", connection.date, to: output)
        let reply = StreamedReply(request, of: connection, on: loop)
        reply.start(status: status)
        return reply
    }

    /// Says what becomes of the connection.
    private func addConnection(of connection: HTTPConnection, closing: Bool, to request: OpaquePointer) {
        let headers = evhttp_request_get_output_headers(request)
        if closing {
            // Or evhttp would promise to keep the connection to whoever has asked for that in HTTP/1.0.
            evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection")
            return add("Connection", "close", to: headers)
        }
        guard let keepAlive = connection.service?.keepAlive else { return }
        // In HTTP/1.0 evhttp says it by itself.
        if connection.arrival.scan.isHTTP11 { add("Connection", "keep-alive", to: headers) }
        add("Keep-Alive", keepAlive, to: headers)
    }

    private func add(_ name: String, _ value: String, to headers: UnsafeMutablePointer<evkeyvalq>?) {
        let result = evhttp_add_header(headers, name, value)
        precondition(result == 0, "a header with a line break: \(name)")
    }

    /// The connection goes. evhttp frees the request with it, unless it has taken it off before: then it is ours to free, by
    /// answering.
    func connectionWillClose() {
        connection = nil
        guard case .evhttp(let request) = source, evhttp_request_get_connection(request) != nil else { return }
        source = .gone
    }
}
