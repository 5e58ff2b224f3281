internal import Libevent

/// A reply that goes on: server-sent events, which a browser reads by `EventSource`. Belongs to whoever opened it, on the front's
/// loop; one that is let go without ``end()`` breaks the connection off.
///
/// ```swift
/// let stream = try openEventStream(for: request)
/// stream.onClose = { [weak self] in self?.streams[id] = nil }
/// stream.send(ServerSentEvent(name: "stats", data: json))
/// ```
public final class EventStream {
    private let loop: EventLoop
    /// `nil` when it is closed.
    private var stream: HTTPReplyStream?
    private let keepAlive: Timer

    /// Told once, on the loop and never from inside a call to the stream: the peer has left, has fallen too far behind or reads
    /// nothing, or the listener shuts down. Not told after ``end()``.
    public var onClose: (() -> Void)?
    /// Told when the peer has read everything, after it had fallen behind.
    public var onDrained: (() -> Void)?

    /// With more than so many bytes unread a peer has fallen behind.
    private static let backlogThreshold = 64 << 10
    /// With more than so many bytes unread it is left: they are in memory.
    private static let backlogLimit = 1 << 20
    /// A peer that has read nothing of what waits for it at so many beats of the keep-alive, one after the other, is left.
    private static let idleBeatLimit = 4

    /// Whether it has been behind since everything was read.
    private var hasBeenBehind = false
    /// The bytes that were sent, without the framing of the chunks.
    private var sentCount = 0
    /// What the peer had read of them at the last beat.
    private var readCount = 0
    private var idleBeats = 0

    /// Begins the stream with its head.
    /// - Parameter id: by what the request is called.
    init(
        answering exchange: HTTPExchange, id: String, on loop: EventLoop, keepAlive interval: Duration
    ) throws(LibeventError) {
        self.loop = loop
        // The timer first: it may fail, and then the request is still to be answered.
        var beat: () -> Void = {}
        keepAlive = try Timer(on: loop, after: interval, every: interval) { beat() }
        // The last asks nginx not to gather what is sent.
        let headers = [
            ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no"),
            ("X-Request-Id", id),
        ]
        let stream = exchange.startStream(status: 200, headers: headers)
        self.stream = stream
        beat = { [weak self] in self?.beat() }
        stream.onEvent = { [weak self] event in self?.didHappen(event) }
        // Of a stream without a body nothing more is told.
        if exchange.method == .head { closeLater() }
    }

    /// Whether what is sent may arrive.
    public var isOpen: Bool { stream != nil }

    /// Whether the peer has fallen behind. Whoever has much to send should wait for ``onDrained``, or leave events out.
    public var isBehind: Bool { stream.map { $0.unsentCount > Self.backlogThreshold } ?? false }

    /// Sends an event. When the stream is closed: no effect.
    public func send(_ event: ServerSentEvent) {
        guard let stream else { return }
        send(event.bytes, by: stream)
        if isBehind { hasBeenBehind = true }
        if stream.unsentCount > Self.backlogLimit { letGo() }
    }

    /// The reply is complete. Again: no effect.
    public func end() {
        onClose = nil
        close()
    }

    // MARK: The connection

    private func send(_ bytes: [UInt8], by stream: HTTPReplyStream) {
        sentCount += bytes.count
        stream.send(bytes)
    }

    /// Keeps the stream alive, and leaves a peer that reads nothing.
    private func beat() {
        guard let stream else { return }
        // The chunks' framing is among what is unsent: the difference grows by nothing but the peer's reading.
        let read = sentCount - stream.unsentCount
        idleBeats = stream.unsentCount == 0 || read > readCount ? 0 : idleBeats + 1
        readCount = read
        if idleBeats == Self.idleBeatLimit { return letGo() }
        // A line that says nothing: a peer, or a proxy before it, that hears nothing takes the connection for dead.
        if stream.unsentCount == 0 { send(Array(":\n\n".utf8), by: stream) }
    }

    /// Leaves the peer without the reply's end, so that it does not take it for complete.
    private func letGo() {
        stream = nil
        closeLater()
    }

    private func didHappen(_ event: HTTPReplyStream.Event) {
        switch event {
        case .drained:
            guard hasBeenBehind else { return }
            hasBeenBehind = false
            onDrained?()
        case .disconnected, .serverDrains: close()
        }
    }

    /// Closes it when its owner has had the time to say what is to be told.
    func closeLater() {
        loop.afterCallback { [weak self] in self?.close() }
    }

    private func close() {
        keepAlive.cancel()
        stream?.end()
        stream = nil
        let tell = onClose
        (onClose, onDrained) = (nil, nil)
        tell?()
    }
}
