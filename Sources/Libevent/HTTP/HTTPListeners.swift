internal import Base
internal import CLibevent
internal import Glibc

/// The listeners of an `HTTPServer`. evhttp accepts by itself, as many as there are; this is what bounds it.
final class HTTPListeners {
    private let http: OpaquePointer
    private let loop: EventLoop
    private var bound: [Bound] = []
    private var accepted = 0
    private var retry: LoopEvent?
    private var closing: LoopEvent?
    private var closingRounds = 0
    var onAcceptError: ((LibeventError) -> Void)?

    private struct Bound {
        let socket: OpaquePointer
        let listener: OpaquePointer
        let descriptor: Int32
        let isShared: Bool
    }

    /// How often, and how long apart, it looks whether the system's queue is empty before it closes a listener.
    private static let maxClosingRounds = 1000
    private static let closingInterval = Duration.milliseconds(1)

    init(http: OpaquePointer, loop: EventLoop) {
        self.http = http
        self.loop = loop
    }

    func open(_ socket: ListeningSocket) throws(LibeventError) {
        if retry == nil { retry = try LoopEvent(on: loop, .timer, repeats: false) { [unowned self] _ in enable() } }
        let descriptor = socket.takeDescriptor()
        precondition(descriptor >= 0, "a listening socket is taken once")
        // Inherited by what is accepted.
        guard ps_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, HTTPLimits.unsentBytes) == 0 else {
            if !socket.isShared { Glibc.close(descriptor) }
            throw .lastSystemError("setsockopt")
        }
        let flags = socket.isShared ? LEV_OPT_CLOSE_ON_EXEC : LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC
        // No callback: evhttp sets its own. A backlog of 0: it listens already.
        guard let listener = evconnlistener_new(loop.turn.base, nil, nil, flags, 0, descriptor) else {
            if !socket.isShared { Glibc.close(descriptor) }
            throw .library(call: "evconnlistener_new")
        }
        guard let bound = evhttp_bind_listener(http, listener) else {
            evconnlistener_free(listener)
            throw .library(call: "evhttp_bind_listener")
        }
        // The context is evhttp's.
        loop.turn.acceptFailed[listener] = { [unowned self] in pause(.lastSystemError("accept")) }
        evconnlistener_set_error_cb(listener) { listener, _ in
            if let listener { EventLoop.current?.turn.acceptFailed[listener]?() }
        }
        self.bound.append(Bound(socket: bound, listener: listener, descriptor: descriptor, isShared: socket.isShared))
    }

    // MARK: Bounds

    /// evhttp's listener goes on accepting until the queue is empty, unless it is disabled from within.
    /// - Parameter full: room has to be made before another one comes.
    func didAccept(full: Bool) {
        accepted += 1
        guard full || accepted == Listener.acceptsPerTurn else { return }
        disable()
        loop.afterCallback { [weak self] in self?.enable() }
    }

    private func enable() {
        accepted = 0
        for listener in bound { evconnlistener_enable(listener.listener) }
    }

    private func disable() {
        for listener in bound { evconnlistener_disable(listener.listener) }
    }

    /// No descriptor or no memory is left: a pause, or the loop would spin on a listener that stays ready.
    private func pause(_ error: LibeventError) {
        disable()
        retry?.add(after: Listener.pause)
        onAcceptError?(error)
    }

    // MARK: Closing

    /// Closes the listeners when the system's queue is empty: closing would reset what waits in it. One that somebody else has
    /// too is let go at once: they go on with its queue, which may never be empty.
    func closeWhenDrained() throws(LibeventError) {
        guard closing == nil else { return }
        closing = try LoopEvent(on: loop, .timer, repeats: false) { [unowned self] _ in closeDrained() }
        closeDrained()
    }

    private func closeDrained() {
        closingRounds += 1
        let isLast = closingRounds > Self.maxClosingRounds
        bound.removeAll { listener in
            guard isLast || listener.isShared || ps_is_readable(listener.descriptor) == 0 else { return false }
            loop.turn.acceptFailed[listener.listener] = nil
            evhttp_del_accept_socket(http, listener.socket)
            return true
        }
        if !bound.isEmpty { closing?.add(after: Self.closingInterval) }
    }

    /// The server goes; evhttp frees the listeners.
    func close() {
        for listener in bound { loop.turn.acceptFailed[listener.listener] = nil }
        bound.removeAll()
        closing = nil
        retry = nil
    }

    var isOpen: Bool { !bound.isEmpty }
}
