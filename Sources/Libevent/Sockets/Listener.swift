public import Base
internal import CLibevent
internal import Glibc

/// Accepts the connections of one listening socket on one loop.
///
/// It takes at most `acceptsPerTurn` in one go, so that a storm of new devices leaves room for those that are there. When the
/// process has no descriptor left it pauses, tells `onAcceptError`, and tries again.
public final class Listener {
    /// How many connections one pass accepts.
    public static let acceptsPerTurn = 64
    /// How long it pauses when the system is out of descriptors or memory.
    static let pause = Duration.milliseconds(100)

    /// The address that it listens on.
    public let address: SocketAddress
    /// Told on the loop when connections could not be accepted; it goes on by itself. For the log and a metric.
    public var onAcceptError: ((LibeventError) -> Void)? {
        get { acceptor.onAcceptError }
        set { acceptor.onAcceptError = newValue }
    }

    private let loop: EventLoop
    private let acceptor: Acceptor

    /// Starts to accept. On the loop's thread only.
    ///
    /// - Parameters:
    ///   - socket: is taken, and closed by `stopAccepting()` or when the listener is let go.
    ///   - security: what the connections' TLS begins with; nil: they are in clear. One with TLS is handed over before its
    ///     handshake, whose end is `connectionDidOpen`: its time is the owner's to limit.
    ///   - proxies: what comes from these addresses begins with a header of the PROXY protocol, before TLS, and is closed
    ///     without one; see `connectionDidIdentify`. What comes from others has none.
    ///   - onAccept: called on the loop with each new connection. Give it a handler and keep what you need; a connection without
    ///     a handler is closed.
    public init(
        _ socket: ListeningSocket, on loop: EventLoop, security: TLSSource? = nil, proxies: [AddressRange] = [],
        onAccept: @escaping (sending Connection) -> Void
    ) throws(LibeventError) {
        loop.preconditionOwned()
        self.loop = loop
        address = socket.address
        let descriptor = socket.takeDescriptor()
        precondition(descriptor >= 0, "a listening socket is taken once")
        acceptor = try Acceptor(
            descriptor: descriptor, isShared: socket.isShared, loop: loop, security: security, proxies: proxies,
            onAccept: onAccept)
    }

    deinit { loop.release(acceptor) }

    /// Accepts what waits in the system's queue, which closing would reset, and then closes. What waits for a socket that
    /// somebody else has too is left to them. Again: no effect.
    public func stopAccepting() { acceptor.stop() }
}

/// The part of a listener that dies on the loop.
private final class Acceptor {
    private var descriptor: Int32
    private let isShared: Bool
    private let loop: EventLoop
    private let security: TLSSource?
    private let proxies: [AddressRange]
    private let onAccept: (sending Connection) -> Void
    private var readable: LoopEvent?
    private var retry: LoopEvent?
    var onAcceptError: ((LibeventError) -> Void)?

    init(
        descriptor: Int32, isShared: Bool, loop: EventLoop, security: TLSSource?, proxies: [AddressRange],
        onAccept: @escaping (sending Connection) -> Void
    ) throws(LibeventError) {
        self.descriptor = descriptor
        self.isShared = isShared
        self.loop = loop
        self.security = security
        self.proxies = proxies
        self.onAccept = onAccept
        do throws(LibeventError) {
            readable = try LoopEvent(on: loop, .readable(descriptor), repeats: true) { [unowned self] _ in
                accept(atMost: Listener.acceptsPerTurn)
            }
            retry = try LoopEvent(on: loop, .timer, repeats: false) { [unowned self] _ in readable?.add() }
        } catch {
            if !isShared { close(descriptor) }
            self.descriptor = -1
            throw error
        }
        readable?.add()
    }

    deinit {
        // The event first: libevent must not know a descriptor that is closed.
        readable = nil
        if descriptor >= 0, !isShared { close(descriptor) }
    }

    func stop() {
        guard descriptor >= 0 else { return }
        // Bounded, or a flood of clients could keep it here; what is beyond it gets a reset, as from any server that is down.
        if !isShared { accept(atMost: 65_536) }
        guard descriptor >= 0 else { return }
        readable = nil
        retry = nil
        if !isShared { close(descriptor) }
        descriptor = -1
    }

    private func accept(atMost limit: Int) {
        var peer = sockaddr_storage()
        for _ in 0..<limit {
            // The callback below may have stopped us.
            guard descriptor >= 0 else { return }
            let accepted = ps_accept(descriptor, &peer)
            if accepted < 0 {
                switch errno {
                case EAGAIN: return
                // Errors of that one connection, not of the listener (accept(2)).
                case EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP,
                    EPERM:
                    continue
                default:
                    backOff(.lastSystemError("accept"))
                    return
                }
            }
            open(accepted, from: SocketAddress(peer))
        }
    }

    private func open(_ accepted: Int32, from peer: SocketAddress?) {
        guard let peer else {
            close(accepted)
            return
        }
        do throws(LibeventError) {
            let connection =
                proxies.contains(peer.ip)
                ? try Connection.accept(accepted, fromProxy: peer, on: loop, by: security?.current)
                : try Connection(accepted: accepted, from: peer, on: loop, by: security?.current)
            // Safe: nobody else knows the connection, and everything that will is on this loop.
            nonisolated(unsafe) let handedOver = connection
            onAccept(handedOver)
            if connection.handler == nil { connection.close() }
        } catch {
            onAcceptError?(error)
        }
    }

    private func backOff(_ error: LibeventError) {
        readable?.remove()
        retry?.add(after: Listener.pause)
        onAcceptError?(error)
    }
}
