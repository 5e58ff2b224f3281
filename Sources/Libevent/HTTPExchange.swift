internal import CLibevent
internal import Glibc

/// One HTTP request and its answer, on its server's loop.
///
/// It is answered exactly once, at once or after any number of `await`s; a second answer traps, and one that is dropped unanswered is answered with 500.
/// The peer may have gone, or the server closed, in between: answering is safe all the same. Read what you need of the request before you answer:
/// the request goes with the answer.
public final class HTTPExchange {
    /// The method.
    public let method: HTTPMethod
    /// The target as it was sent.
    public let rawTarget: String
    /// The path, without the query; percent-encoding is decoded if all of it is valid, else it is left.
    public let path: String
    /// The path as it was sent: for taking it apart at `/` before decoding.
    public let rawPath: String
    /// What follows the question mark, as it was sent; nil where there is none.
    public let query: String?
    /// Whether the request's end is beyond doubt; if not, refuse it. The connection closes after the answer.
    public let framing: HTTPFraming
    /// How many bytes the request line and the headers took.
    public let headerBytes: Int
    /// The client's address.
    public let peer: SocketAddress?

    private let loop: EventLoop
    private let pending: PendingRequest
    private var request: OpaquePointer? { pending.request }
    private var isAnswered = false

    init(_ request: OpaquePointer, of connection: HTTPPeer?, on loop: EventLoop) {
        pending = PendingRequest(request, of: connection)
        connection?.pending = pending
        self.loop = loop
        method = HTTPMethod(evhttp_request_get_command(request))
        rawTarget = evhttp_request_get_uri(request).map { String(cString: $0) } ?? ""
        let target = HTTPTarget(rawTarget)
        rawPath = String(target.path)
        path = target.decodedPath
        query = target.query.map { String($0) }
        peer = connection?.address
        var evidence = HTTPFraming.Evidence()
        // The least that the request line can have taken, which evhttp has dropped: `GET`, two blanks, `HTTP/1.1`, CRLF; then the blank line.
        var bytes = 3 + 2 + 8 + 2 + rawTarget.utf8.count + 2
        var header = ps_first_header(evhttp_request_get_input_headers(request))
        while let current = header {
            let (name, value) = HTTPExchange.bytes(of: current)
            evidence.add(name: name, value: value)
            bytes += name.count + value.count + 4
            header = ps_next_header(current)
        }
        headerBytes = bytes
        framing = evidence.verdict(method)
        LiveObjects.count(of: HTTPExchange.self, by: 1)
    }

    deinit {
        LiveObjects.count(of: HTTPExchange.self, by: -1)
        if !isAnswered { answerDropped() }
    }

    // MARK: The request

    /// The values of a header, in the order of the request; every occurrence counts for one, names are compared without case.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        forEachHeaderBytes { candidate, value in
            if isSameName(candidate, name) { values.append(String(decoding: value, as: UTF8.self)) }
        }
        return values
    }

    /// Calls `body` with the name and the value of each header, in the order and spelling of the request (white space around values removed).
    public func forEachHeader(_ body: (_ name: String, _ value: String) -> Void) {
        forEachHeaderBytes { body(String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self)) }
    }

    /// The number of bytes in the body.
    public var bodyCount: Int {
        guard let request else { return 0 }
        return evbuffer_get_length(evhttp_request_get_input_buffer(request))
    }

    /// Calls `body` with the request's body, in one piece; the memory is valid inside the call only.
    public func withBody<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        guard let request, let buffer = evhttp_request_get_input_buffer(request) else {
            return try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let count = evbuffer_get_length(buffer)
        let start = count == 0 ? nil : evbuffer_pullup(buffer, -1)
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    private func forEachHeaderBytes(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        guard let request else { return }
        var header = ps_first_header(evhttp_request_get_input_headers(request))
        while let current = header {
            let (name, value) = HTTPExchange.bytes(of: current)
            body(name, value)
            header = ps_next_header(current)
        }
    }

    private static func bytes(of header: UnsafeMutablePointer<evkeyval>) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        (view(ps_header_name(header)), view(ps_header_value(header)))
    }

    private static func view(_ text: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
        guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: text, count: strlen(text))
    }

    // MARK: The answer

    /// Answers. Content-Length and Date are added; to HEAD the body is left away, its length told.
    ///
    /// - Parameters:
    ///   - headers: must have no CR or LF in them; evhttp refuses such a header, which is a trap here.
    ///   - close: closes the connection after the answer; so does a doubtful framing and a server that drains.
    public func reply(status: Int, headers: [(String, String)] = [], body: [UInt8] = [], close: Bool = false) {
        precondition(!isAnswered, "an exchange is answered once")
        isAnswered = true
        loop.preconditionOwned("an HTTP exchange")
        guard let request else { return }
        let output = evhttp_request_get_output_headers(request)
        for (name, value) in headers { add(name, value, to: output) }
        let hasBody = status >= 200 && status != 204 && status != 304
        if hasBody { add("Content-Length", String(body.count), to: output) }
        if hasBody && method != .head && !body.isEmpty {
            let result = evbuffer_add(evhttp_request_get_output_buffer(request), body, body.count)
            precondition(result == 0, "evbuffer_add: no memory")
        }
        pending.send(status: Int32(status), closing: close || framing != .ok)
    }

    private func add(_ name: String, _ value: String, to headers: UnsafeMutablePointer<evkeyvalq>?) {
        let result = evhttp_add_header(headers, name, value)
        precondition(result == 0, "a header with a line break: \(name)")
    }

    /// Whoever had the exchange has let it go, perhaps on another thread and by an error: the client still gets an answer.
    private func answerDropped() {
        if loop.isCurrent { return pending.send(status: 500, closing: true) }
        // Safe: the exchange is being destroyed, so nobody but the loop goes on with its request.
        nonisolated(unsafe) let pending = pending
        loop.execute { pending.send(status: 500, closing: true) }
    }
}

private func isSameName(_ bytes: UnsafeRawBufferPointer, _ name: String) -> Bool {
    guard bytes.count == name.utf8.count else { return false }
    return zip(bytes, name.utf8).allSatisfy { lowercase($0) == lowercase($1) }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
