internal import Base
internal import CLibevent
internal import Glibc

/// What a connection tells its handler, always on the connection's loop.
///
/// A connection is handed over as `sending`: an actor of the loop takes it in by `assumeIsolated` (the example at `EventLoop`).
public protocol ConnectionHandler: AnyObject {
    /// A proxy has said whose connection this is (`Connection.clientAddress`). Called only where one is waited for, and before
    /// everything else.
    func connectionDidIdentify(_ connection: sending Connection)
    /// A connection made by `Connection.connect` has been established, or the handshake of one that was accepted is done.
    func connectionDidOpen(_ connection: sending Connection)
    /// There is unread input. Called again only when more has come, or when reading is turned on again.
    func connectionDidRead(_ connection: sending Connection)
    /// All that had to be buffered has been given to the system. Not called for output that never was.
    func connectionDidDrain(_ connection: sending Connection)
    /// The connection has ended. Called exactly once for every connection, last, and never from inside a call to it.
    func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason)
}

extension ConnectionHandler {
    /// Nothing to do.
    public func connectionDidIdentify(_ connection: sending Connection) {}
    /// Nothing to do.
    public func connectionDidOpen(_ connection: sending Connection) {}
    /// Nothing to do.
    public func connectionDidDrain(_ connection: sending Connection) {}
}

/// A TCP connection on a loop, in clear or with TLS.
///
/// It stays open until somebody closes it, whether or not anybody holds it: from its first callback to its last libevent holds
/// it. It is bound to its loop's thread; not `Sendable`, so the compiler keeps it in the actor that it was handed to.
public final class Connection {
    /// Why a connection ended.
    public enum CloseReason: Hashable, Sendable {
        /// The peer closed it.
        case endOfStream
        /// The system reported this `errno`.
        case failed(Int32)
        /// The handshake failed, or what came after it was no TLS.
        case insecure(TLSFailure)
        /// A trusted proxy has not said whose connection it is.
        case unidentified(ProxyHeaderFault)
        /// It was closed here, by `close()` or `closeAfterFlush(timeout:)`.
        case closed
    }

    enum State: UInt8 {
        /// A proxy has still to say whose it is; there is no transport yet.
        case unidentified
        case connecting
        case open
        /// Output is still to be written; then our side is shut.
        case flushing
        /// Our side is shut; waits for the peer to close as well, so that it has read everything.
        case lingering
        case closed
    }

    /// The loop that it lives on.
    public let loop: EventLoop
    /// The other end; behind a trusted proxy (`Listener`) the client that it names, and until then the proxy.
    public internal(set) var clientAddress: SocketAddress
    /// Told what happens, on the loop. The connection holds it until it has told its end. Without one it closes itself.
    public var handler: (any ConnectionHandler)?
    /// The owner's own object for this connection, such as its session. The connection holds it until it has told its end.
    public var tag: AnyObject?

    /// The way of its bytes; nil when the connection has ended, and while it is not known whose it is. Only this class and its
    /// extensions use it.
    var transport: Transport?
    var state: State
    var reading = true
    /// libevent does not read either: something came while reading was off.
    var isReadingSuspended = false
    /// What the peer did while reading was off: told after the input before it.
    var lateEnd: CloseReason?
    /// A view of the input is out: the memory has to stay until it is back.
    var viewing = false
    /// A turn's end will tell the handler of input that was left.
    var recalling = false
    var deadline: Timer?
    /// While it is not known whose it is.
    var entry: ProxyEntry?

    /// The most input that is buffered before reading pauses, unless set otherwise: two of MQTT's largest packets here.
    public static let standardInputLimit = 32 * 1024

    init(
        descriptor: Int32, peer: SocketAddress, on loop: EventLoop, state: State, by context: TLSContext? = nil
    ) throws(LibeventError) {
        self.loop = loop
        clientAddress = peer
        self.state = state
        let transport: Transport
        do throws(LibeventError) {
            transport = try Self.makeTransport(descriptor, on: loop, by: context)
        } catch {
            self.state = .closed
            throw error
        }
        LiveObjects.count(of: Connection.self, by: 1)
        begin(by: transport, context: hold())
    }

    /// A connection whose client is not known yet; see `Connection+proxy`.
    init(unidentifiedFrom proxy: SocketAddress, on loop: EventLoop) {
        self.loop = loop
        clientAddress = proxy
        state = .unidentified
        LiveObjects.count(of: Connection.self, by: 1)
        _ = hold()
    }

    /// A connection whose handshake begins here.
    init(connectingTo server: SocketAddress, by transport: Transport, on loop: EventLoop) {
        self.loop = loop
        clientAddress = server
        state = .connecting
        LiveObjects.count(of: Connection.self, by: 1)
        begin(by: transport, context: hold())
    }

    /// Retained: libevent may call after the owner let go. `end` balances it.
    private func hold() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static func makeTransport(
        _ descriptor: Int32, on loop: EventLoop, by context: TLSContext?
    ) throws(LibeventError) -> Transport {
        let base = loop.turn.connectionBase
        guard let context else { return try Transport(descriptor: descriptor, on: base) }
        return try Transport(accepting: descriptor, by: context, on: base)
    }

    /// - Parameter context: the connection, as its callbacks get it.
    func begin(by transport: Transport, context: UnsafeMutableRawPointer) {
        self.transport = transport
        bufferevent_setcb(transport.stream, readThunk, writeThunk, eventThunk, context)
        if !transport.isEncrypted { bufferevent_setwatermark(transport.stream, ps_ev_read(), 0, Self.standardInputLimit) }
    }

    /// - Parameter context: what its TLS begins with; nil: it is in clear.
    convenience init(
        accepted descriptor: Int32, from peer: SocketAddress, on loop: EventLoop, by context: TLSContext? = nil
    ) throws(LibeventError) {
        try self.init(descriptor: descriptor, peer: peer, on: loop, state: context == nil ? .open : .connecting, by: context)
        bufferevent_enable(transport?.stream, ps_ev_read())
    }

    deinit {
        assert(state == .closed, "a connection is let go by libevent only after it was closed")
        LiveObjects.count(of: Connection.self, by: -1)
    }

    /// Whether the connection has ended, or is about to: nothing is sent or read any more.
    public var isClosed: Bool { state != .open && state != .connecting && state != .unidentified }

    /// The certificate that the peer has shown; nil for none. Made anew each time.
    public var peerCertificate: TLSPeerCertificate? { transport?.peerCertificate }

    // MARK: Input

    /// Calls `body` with all unread input, in one piece, and the number of bytes that it has consumed (0 at first), which it
    /// sets; these are dropped afterwards. The memory is valid inside the call only. `body` may close the connection.
    public func withInput<R, E: Error>(_ body: (UnsafeRawBufferPointer, inout Int) throws(E) -> R) throws(E) -> R {
        var consumed = 0
        guard let transport, !isClosed else { return try body(UnsafeRawBufferPointer(start: nil, count: 0), &consumed) }
        precondition(!viewing, "one view of the input at a time")
        let input = transport.input
        let count = evbuffer_get_length(input)
        let start = count == 0 ? nil : evbuffer_pullup(input, -1)
        viewing = true
        defer {
            viewing = false
            precondition(consumed >= 0 && consumed <= count, "more consumed than there was")
            if state == .closed { freeTransport() } else if consumed > 0 { evbuffer_drain(input, consumed) }
        }
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), &consumed)
    }

    /// Stops or resumes reading. While it is off, what the peer sends waits in the system but for one read of it, and its closing
    /// is not told. Input that was left is told again when reading is turned on.
    ///
    /// Mostly it is off for a moment, and nothing comes: so libevent learns of it only when something does, which saves two calls
    /// to the system.
    public func setReading(_ on: Bool) {
        guard let transport, !isClosed, reading != on else { return }
        reading = on
        guard on else { return }
        if isReadingSuspended {
            isReadingSuspended = false
            if lateEnd == nil { bufferevent_enable(transport.stream, ps_ev_read()) }
        }
        if lateEnd != nil || evbuffer_get_length(transport.input) > 0 { recall() }
    }

    /// Something has come while reading is off.
    func suspendReading() {
        guard let transport, !isReadingSuspended else { return }
        isReadingSuspended = true
        bufferevent_disable(transport.stream, ps_ev_read())
    }

    /// Limits how much input is buffered before reading pauses; it must hold the largest packet that is waited for. With TLS a
    /// read takes a whole record (16 KiB at most), and only `setReading` pauses it.
    public func setInputLimit(_ bytes: Int) {
        guard let transport, !isClosed, !transport.isEncrypted else { return }
        precondition(bytes > 0)
        bufferevent_setwatermark(transport.stream, ps_ev_read(), 0, bytes)
    }

    // MARK: Output

    /// How many bytes wait to be written because the peer does not read fast enough.
    public var outputCount: Int { transport?.unsentCount ?? 0 }

    /// Sends the bytes, after what was sent before. What the system does not take at once is buffered, without a limit: look at
    /// `outputCount` before sending much to a slow peer. After the end: no effect.
    public func send(_ bytes: UnsafeRawBufferPointer) {
        guard let transport, !isClosed, !bytes.isEmpty else { return }
        var rest = bytes
        // Straight to the descriptor costs a third less than through the buffer and one more turn of the loop. Order holds, as
        // the buffer is empty.
        if state == .open, transport.unsentCount == 0 {
            let sent = transport.writeNow(bytes)
            if sent == bytes.count { return }
            if sent < 0 {
                let code = errno
                guard code == EAGAIN || code == EINTR || code == ENOBUFS else { return end(.failed(code)) }
            }
            rest = UnsafeRawBufferPointer(rebasing: bytes[max(0, sent)...])
        }
        if !transport.write(rest) { end(.failed(ENOMEM)) }
    }

    /// Sends the bytes, after what was sent before.
    public func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { send($0) } }

    // MARK: Options

    /// Has the system find out that a silent peer is dead, by probes: as its listening socket has prepared
    /// (`ListeningSocket.prepareTCPKeepAlive`), or else as the system is set.
    public func enableTCPKeepAlive() throws(LibeventError) {
        guard let transport else { return }
        guard ps_set_option(transport.descriptor, SOL_SOCKET, SO_KEEPALIVE, 1) == 0 else { throw .lastSystemError("setsockopt") }
    }
}
