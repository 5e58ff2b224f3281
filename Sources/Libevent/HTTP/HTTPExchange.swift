public import Base
internal import CLibevent
internal import Glibc

/// One HTTP request and its answer, on its server's loop.
///
/// It is answered exactly once, at once or after any number of `await`s; a second answer traps, and one that is dropped
/// unanswered is answered with 500. The peer may have gone, or the server closed, in between: answering is safe all the same.
/// Read what you need of the request before you answer: the request goes with the answer.
///
/// What must be refused comes here as well, as soon as that is certain and without its body (`isRefused`): look at `framing`,
/// then at `headerBytes` and `bodyCount`; what else the judge had against it is for the handler to say.
public final class HTTPExchange {
    /// The method.
    public let method: HTTPMethod
    /// The target as it was sent; where that was an address with a host, its path and query.
    public let rawTarget: String
    /// The path as it was sent: for taking it apart at `/` before decoding.
    public let rawPath: String
    /// What follows the question mark, as it was sent; nil where there is none.
    public let query: String?
    /// Whether the request's end is beyond doubt; if not, refuse it. The connection closes after the answer.
    public let framing: HTTPFraming
    /// How many bytes the request line and the headers took, as far as they have come: above `HTTPLimits.maxHeaderBytes` refuse
    /// it.
    public let headerBytes: Int
    /// The number of bytes in the body, or announced for it: above `HTTPLimits.maxBodyBytes` refuse it.
    public let bodyCount: Int
    /// The request came without its body, which is dropped: it is over a limit, its framing is in doubt, or the judge has refused
    /// it. Answer with an error; the connection closes after it.
    public let isRefused: Bool
    /// There is no room for the connection, and none could be made: unless the request is one that must not wait, answer that it
    /// may come again. The connection closes after the answer.
    public let isSurplus: Bool
    /// The client's address: what a trusted proxy says (`HTTPForwarding`), or else the connection's other end; nil when that had
    /// gone before it was known. Found out when it is first asked for, which must be before the answer.
    public private(set) lazy var clientAddress: IPAddress? = peer.flatMap { peer in
        guard let forwarding else { return peer.ip }
        // What a proxy said of its client has gone with the connection, and the proxy is not the client.
        if case .gone = pending.source, forwarding.trusted.contains(peer.ip) { return nil }
        return forwarding.client(of: peer.ip) { forEachHeader($0) }
    }

    /// What the judge has found out, where it was asked and the body it has accepted is here.
    public let admission: AnyObject?

    private let loop: EventLoop
    private let pending: PendingRequest
    private let peer: SocketAddress?
    private let forwarding: HTTPForwarding?
    private var isAnswered = false

    init(_ pending: PendingRequest, of connection: HTTPConnection, on loop: EventLoop) {
        self.pending = pending
        self.loop = loop
        peer = connection.address
        forwarding = connection.service?.forwarding
        isSurplus = connection.remainsSurplus
        headerBytes = connection.headerBytes
        switch pending.source {
        case .evhttp(let request):
            method = HTTPMethod(evhttp_request_get_command(request))
            rawTarget = evhttp_request_get_uri(request).map { String(cString: $0) } ?? ""
            bodyCount = evbuffer_get_length(evhttp_request_get_input_buffer(request))
            isRefused = false
        case .refused(let head):
            method = head.method
            rawTarget = head.rawTarget
            bodyCount = connection.refusedBodyBytes
            isRefused = true
        case .gone:
            preconditionFailure("an exchange begins with a request")
        }
        framing = connection.framing(method)
        let found = connection.takeAdmission()
        admission = isRefused ? nil : found
        let target = HTTPTarget(rawTarget)
        rawPath = target.path
        query = target.query
        LiveObjects.count(of: HTTPExchange.self, by: 1)
    }

    deinit {
        LiveObjects.count(of: HTTPExchange.self, by: -1)
        if !isAnswered { answerDropped() }
    }

    // MARK: The request

    /// The values of a header, in the order of the request; every occurrence counts for one, names are compared without case.
    public func values(of name: String) -> [String] {
        switch pending.source {
        case .evhttp(let request):
            var values: [String] = []
            forEachHeader(of: request) { candidate, value in
                if equalsIgnoringCase(candidate, name) { values.append(String(decoding: value, as: UTF8.self)) }
            }
            return values
        case .refused(let head): return head.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        case .gone: return []
        }
    }

    /// Calls `body` with the name and the value of each header, in the order and spelling of the request (white space around
    /// values removed). The memory is valid inside the call only: nearly all headers are of no interest, so make strings of the
    /// few that are.
    public func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        switch pending.source {
        case .evhttp(let request): forEachHeader(of: request, body)
        case .refused(let head): head.forEachHeader(body)
        case .gone: break
        }
    }

    /// Takes the next piece of the request's body, `count` bytes or what is left; empty at the end, and for what must be refused.
    /// What was taken is gone from the exchange, and its memory with it: a large body is never copied into one piece (13 ms of
    /// the loop for 12 MiB).
    public func takeBody(upTo count: Int) -> [UInt8] {
        guard case .evhttp(let request) = pending.source, let buffer = evhttp_request_get_input_buffer(request) else { return [] }
        // Zeros first: an uninitialised array looks its storage's type up at run time (500 instructions).
        var body = [UInt8](repeating: 0, count: min(count, evbuffer_get_length(buffer)))
        let taken = evbuffer_remove(buffer, &body, body.count)
        if taken < body.count { body.removeLast(body.count - max(0, Int(taken))) }
        return body
    }

    private func forEachHeader(of request: OpaquePointer, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        var header = ps_first_header(evhttp_request_get_input_headers(request))
        while let current = header {
            body(view(ps_header_name(current)), view(ps_header_value(current)))
            header = ps_next_header(current)
        }
    }

    private func view(_ text: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
        guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: text, count: strlen(text))
    }

    // MARK: The answer

    /// Answers. Content-Length and Date are added; to HEAD the body is left away, its length told.
    ///
    /// - Parameters:
    ///   - headers: a line break in one is a trap.
    ///   - requestID: by what the request is called; told as `X-Request-Id`. Apart from the headers, since it is told with each
    ///     answer, and an array would be made for it.
    ///   - close: closes the connection after the answer; so does a doubtful framing, a refusal before the body, a connection
    ///     that there is no room for, and a server that drains.
    public func reply(
        status: Int, headers: [(String, String)] = [], body: [UInt8] = [], requestID: String? = nil, close: Bool = false
    ) {
        precondition(!isAnswered, "an exchange is answered once")
        loop.preconditionOwned("an HTTP exchange")
        isAnswered = true
        var answer = HTTPAnswer(status: status, headers: headers, body: body, closing: close || framing != .ok || isSurplus)
        answer.isBodySent = method != .head
        answer.requestID = requestID
        pending.send(answer)
    }

    /// Answers with a body that comes piece by piece. HEAD gets the head only, and the stream is at its end.
    ///
    /// - Parameter headers: a line break in one is a trap. Content-Length does not go with it.
    /// - Precondition: the request is complete (`isRefused` is false).
    public func startStream(status: Int, headers: [(String, String)] = []) -> HTTPReplyStream {
        precondition(!isAnswered, "an exchange is answered once")
        precondition(!isRefused, "what is refused gets an error")
        loop.preconditionOwned("an HTTP exchange")
        isAnswered = true
        guard method != .head else {
            var answer = HTTPAnswer(status: status, headers: headers, body: [], closing: false)
            (answer.isBodySent, answer.isLengthTold) = (false, false)
            pending.send(answer)
            return HTTPReplyStream(StreamedReply(on: loop), on: loop)
        }
        return HTTPReplyStream(pending.startStream(status: status, headers: headers, on: loop), on: loop)
    }

    /// Whoever had the exchange has let it go, perhaps on another thread and by an error: the client still gets an answer.
    private func answerDropped() {
        let answer = HTTPAnswer(status: 500, headers: [], body: [], closing: true)
        if loop.isCurrent { return pending.send(answer) }
        // Safe: the exchange is being destroyed, so nobody but the loop goes on with its request.
        nonisolated(unsafe) let pending = pending
        loop.execute { pending.send(answer) }
    }
}
