internal import CLibevent

/// An answer whose body comes piece by piece, for as long as its owner likes: server-sent events, for one.
///
/// Made by `HTTPExchange.startStream`. HTTP/1.1 gets chunks and keeps the connection; for HTTP/1.0 the end of the connection is
/// the end of the body. What is sent and not read by the peer is buffered without a bound: look at `unsentCount` before sending
/// more, and wait for `.drained`. There is no time limit either: end the stream of a peer that reads nothing. One that is let go
/// without `end()` breaks the connection off, so that the peer does not take it for complete.
public final class HTTPReplyStream {
    /// What happens to a stream, told on the loop and never from inside a call to it.
    public enum Event: Hashable, Sendable {
        /// All that was sent has been handed to the system.
        case drained
        /// The peer has left; what is sent from now on goes nowhere. Told once, last; not after `end()`.
        case disconnected
        /// The server drains (`HTTPServer.drain()`): it becomes empty only when the stream has ended.
        case serverDrains
    }

    private let loop: EventLoop
    private let reply: StreamedReply

    init(_ reply: StreamedReply, on loop: EventLoop) { (self.reply, self.loop) = (reply, loop) }

    deinit {
        if loop.isCurrent { return reply.abandon() }
        // Safe: the stream is being destroyed, so nobody but the loop goes on with its reply.
        nonisolated(unsafe) let reply = reply
        loop.execute { reply.abandon() }
    }

    /// Told what happens. Capture its owner `weak`: when the owner lets the stream go on another thread, an event may be on its
    /// way.
    public var onEvent: ((Event) -> Void)? {
        get { reply.onEvent }
        set { reply.onEvent = newValue }
    }

    /// How many bytes wait because the peer does not read fast enough.
    public var unsentCount: Int { reply.unsentCount }

    /// Sends the next piece of the body. After the end, or when the peer has left: no effect.
    public func send(_ bytes: [UInt8]) {
        loop.preconditionOwned("a stream")
        reply.send(bytes)
    }

    /// The body is complete. Again: no effect.
    public func end() {
        loop.preconditionOwned("a stream")
        reply.end()
    }
}

/// The part of a stream that its connection holds, and that evhttp calls.
final class StreamedReply {
    private let loop: EventLoop
    /// evhttp's request; nil when the reply is complete, went with its connection, or has no body.
    private var request: OpaquePointer?
    // Safe: the connection clears it before it goes.
    private unowned(unsafe) var connection: HTTPConnection?
    var onEvent: ((HTTPReplyStream.Event) -> Void)?
    /// Where a piece is put for evhttp to take.
    private let piece = evbuffer_new()

    init(_ request: OpaquePointer, of connection: HTTPConnection, on loop: EventLoop) {
        (self.request, self.connection, self.loop) = (request, connection, loop)
    }

    /// One that nobody reads.
    init(on loop: EventLoop) { self.loop = loop }

    deinit { evbuffer_free(piece) }

    /// - Parameter status: evhttp has the headers already.
    func start(status: Int) {
        guard let request else { return }
        connection?.willStream(self)
        evhttp_send_reply_start(request, Int32(status), nil)
    }

    var unsentCount: Int { request == nil ? 0 : connection?.link.unsentCount ?? 0 }

    func send(_ bytes: [UInt8]) {
        guard let request, !bytes.isEmpty else { return }
        let result = evbuffer_add(piece, bytes, bytes.count)
        precondition(result == 0, "evbuffer_add: no memory")
        // Unretained: the connection holds the reply until evhttp has ended it.
        evhttp_send_reply_chunk_with_cb(
            request, piece,
            { _, context in
                guard let context else { return }
                Unmanaged<StreamedReply>.fromOpaque(context).takeUnretainedValue().tell(.drained)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func end() {
        guard let request else { return }
        self.request = nil
        onEvent = nil
        connection?.willEndStream(request)
    }

    func abandon() {
        onEvent = nil
        guard request != nil else { return }
        // Not at once: the owner may let it go in a callback of evhttp's.
        loop.afterCallback { [self] in connection?.close() }
    }

    /// The connection ends. evhttp frees the request with it, unless it has taken it off before: then it is ours to free, by
    /// ending it.
    func connectionWillClose() {
        guard let request else { return }
        tell(.disconnected)
        if evhttp_request_get_connection(request) == nil { evhttp_send_reply_end(request) }
        self.request = nil
        connection = nil
    }

    func tell(_ event: HTTPReplyStream.Event) {
        loop.afterCallback { [self] in
            let tell = onEvent
            if event == .disconnected { onEvent = nil }
            tell?(event)
        }
    }
}
