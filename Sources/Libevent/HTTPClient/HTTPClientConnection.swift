internal import CLibevent
internal import Glibc

/// What a request says, before evhttp has it.
struct ClientRequest {
    let method: HTTPMethod
    let target: String
    let headers: [(String, String)]
    let body: [UInt8]

    init(_ method: HTTPMethod, _ target: String, _ headers: [(String, String)], _ body: [UInt8]) {
        (self.method, self.target, self.headers, self.body) = (method, target, headers, body)
    }
}

/// evhttp's client connection. It reconnects by itself with the next request; an encrypted one does another handshake then.
final class ClientConnection {
    private let loop: EventLoop
    private let box: Box

    init(
        host: String, port: UInt16, maxBodyBytes: Int, security: TLSClientContext? = nil, on loop: EventLoop
    ) throws(LibeventError) {
        loop.preconditionOwned()
        let stream = try security.map { context throws(LibeventError) in
            try Transport.makeEncryptedStream(on: loop.turn.base, to: host, context)
        }
        // An answer tells its length: an end without close_notify is one.
        if let stream { bufferevent_openssl_set_allow_dirty_shutdown(stream, 1) }
        guard let connection = evhttp_connection_base_bufferevent_new(loop.turn.base, nil, stream, host, port) else {
            if let stream { bufferevent_free(stream) }
            throw .library(call: "evhttp_connection_base_bufferevent_new")
        }
        evhttp_connection_set_max_body_size(connection, maxBodyBytes)
        self.loop = loop
        box = Box(connection, encryptedBy: stream)
        // Unretained: evhttp calls it for the connection that the box frees. It is told of established connections alone, and
        // before the request is that fails with one: what OpenSSL has against a server that has been trusted is no distrust.
        evhttp_connection_set_closecb(
            connection,
            { _, context in
                if let context { _ = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().takeDistrust() }
            }, Unmanaged.passUnretained(box).toOpaque())
    }

    deinit { loop.release(box) }

    /// evhttp's object, which dies on the loop.
    private final class Box {
        let connection: OpaquePointer
        /// Its bufferevent where it is encrypted, which is evhttp's.
        let encrypted: OpaquePointer?

        init(_ connection: OpaquePointer, encryptedBy stream: OpaquePointer?) {
            (self.connection, encrypted) = (connection, stream)
        }

        deinit {
            evhttp_connection_set_closecb(connection, nil, nil)
            evhttp_connection_free(connection)
        }

        /// Why the handshake has failed; nil when it has not. The next one finds nothing of it: OpenSSL would keep its verdict.
        func takeDistrust() -> TLSDistrust? {
            guard let encrypted else { return nil }
            let session = bufferevent_openssl_get_ssl(encrypted)
            defer { SSL_set_verify_result(session, Int(X509_V_OK)) }
            return TLSDistrust(of: session, Transport.takeFailure(of: encrypted))
        }
    }

    func setTimeout(_ timeout: Duration) {
        var time = timeval(timeout)
        evhttp_connection_set_timeout_tv(box.connection, &time)
    }

    /// Sends the request after those before it; `completion` is called once, on the loop.
    func send(_ request: ClientRequest, host: String, completion: @escaping (Result<HTTPResponse, LibeventError>) -> Void) {
        let pending = PendingAnswer { [weak box] result in
            guard case .failure(let error) = result else { return completion(result) }
            completion(.failure(box?.takeDistrust().map { .distrusted($0) } ?? error))
        }
        guard let command = request.method.command else {
            return pending.finish(.failure(.library(call: "method without a name")))
        }
        // Retained: evhttp has it until it has called `answerThunk`, which takes it back.
        let context = Unmanaged.passRetained(pending).toOpaque()
        guard let raw = evhttp_request_new(answerThunk, context) else {
            Unmanaged<PendingAnswer>.fromOpaque(context).release()
            return pending.finish(.failure(.library(call: "evhttp_request_new")))
        }
        evhttp_request_set_error_cb(raw, errorThunk)
        let headers = evhttp_request_get_output_headers(raw)
        for (name, value) in [("Host", host)] + request.headers where evhttp_add_header(headers, name, value) != 0 {
            evhttp_request_free(raw)
            Unmanaged<PendingAnswer>.fromOpaque(context).release()
            return pending.finish(.failure(.library(call: "evhttp_add_header \(name)")))
        }
        if !request.body.isEmpty {
            evbuffer_add(evhttp_request_get_output_buffer(raw), request.body, request.body.count)
        }
        // It fails before it has connected only for want of memory or of descriptors, and does not call back then.
        if evhttp_make_request(box.connection, raw, command, request.target) != 0 {
            Unmanaged<PendingAnswer>.fromOpaque(context).release()
            pending.finish(.failure(.library(call: "evhttp_make_request")))
        }
    }
}

/// Who waits for an answer. Answered exactly once.
private final class PendingAnswer {
    private var completion: ((Result<HTTPResponse, LibeventError>) -> Void)?
    var error: evhttp_request_error?

    init(_ completion: @escaping (Result<HTTPResponse, LibeventError>) -> Void) { self.completion = completion }

    deinit { finish(.failure(.disconnected)) }

    func finish(_ result: Result<HTTPResponse, LibeventError>) {
        completion?(result)
        completion = nil
    }
}

private func errorThunk(_ error: evhttp_request_error, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<PendingAnswer>.fromOpaque(context).takeUnretainedValue().error = error
}

/// Called exactly once for each request, with nil after an error.
private func answerThunk(_ request: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    let pending = Unmanaged<PendingAnswer>.fromOpaque(context).takeRetainedValue()
    pending.finish(result(request, pending.error))
}

private func result(_ request: OpaquePointer?, _ error: evhttp_request_error?) -> Result<HTTPResponse, LibeventError> {
    switch error {
    case EVREQ_HTTP_TIMEOUT?: return .failure(.timedOut)
    case EVREQ_HTTP_INVALID_HEADER?, EVREQ_HTTP_DATA_TOO_LONG?: return .failure(.malformedResponse)
    default: break
    }
    // A refused connection gives a request without a response.
    guard let request, evhttp_request_get_response_code(request) != 0 else { return .failure(.disconnected) }
    var headers: [(name: String, value: String)] = []
    var header = ps_first_header(evhttp_request_get_input_headers(request))
    while let current = header {
        headers.append((String(cString: ps_header_name(current)), String(cString: ps_header_value(current))))
        header = ps_next_header(current)
    }
    let buffer = evhttp_request_get_input_buffer(request)
    let count = evbuffer_get_length(buffer)
    var body = [UInt8](repeating: 0, count: count)
    if count > 0 { evbuffer_copyout(buffer, &body, count) }
    return .success(HTTPResponse(status: Int(evhttp_request_get_response_code(request)), headers: headers, body: body))
}
