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

    /// Its socket; nil when the connection has ended, and while it is not known whose it is.
    var stream: SocketStream?
    var state: State
    var reading = true
    /// A view of the input is out.
    private var viewing = false
    /// A turn's end will look at what reading has left.
    var recalling = false
    var deadline: Timer?
    /// While it is not known whose it is.
    var entry: ProxyEntry?

    /// The most input that is buffered before reading pauses, unless set otherwise: two of MQTT's largest packets here.
    public static let standardInputLimit = 32 * 1024

    /// A connection without a socket: it is given one, or nobody knows yet whose it is.
    init(with peer: SocketAddress, on loop: EventLoop, state: State) {
        self.loop = loop
        clientAddress = peer
        self.state = state
        LiveObjects.count(of: Connection.self, by: 1)
        // Libevent may call after the owner let go. `end` balances it.
        _ = Unmanaged.passRetained(self)
    }

    /// Gives it its socket, which is closed with it.
    /// - Parameter makeSession: makes what encrypts it; nil: it is in clear.
    /// - Throws: after which it has ended, and the handler will be told.
    func begin(
        _ descriptor: Int32, by makeSession: () throws(LibeventError) -> TLSSession?
    ) throws(LibeventError) {
        do throws(LibeventError) {
            let session: TLSSession?
            do throws(LibeventError) {
                session = try makeSession()
            } catch {
                Glibc.close(descriptor)
                throw error
            }
            stream = try SocketStream(
                descriptor, by: session, on: loop.turn.connectionBase, readyThunk, Unmanaged.passUnretained(self).toOpaque())
        } catch {
            end(.failed(ENOMEM))
            throw error
        }
    }

    /// - Parameter context: what its TLS begins with; nil: it is in clear.
    convenience init(
        accepted descriptor: Int32, from peer: SocketAddress, on loop: EventLoop, by context: TLSContext? = nil
    ) throws(LibeventError) {
        self.init(with: peer, on: loop, state: .open)
        try beginAccepted(descriptor, by: context)
        stream?.watchInput()
    }

    /// Gives it the socket of an accepted connection, whose handshake begins with the peer's first bytes.
    func beginAccepted(_ descriptor: Int32, by context: TLSContext?) throws(LibeventError) {
        state = context == nil ? .open : .connecting
        try begin(descriptor) { () throws(LibeventError) in try context?.makeSession(by: loop.turn.socketBIO) }
    }

    deinit {
        assert(state == .closed, "a connection is let go by libevent only after it was closed")
        LiveObjects.count(of: Connection.self, by: -1)
    }

    /// Whether the connection has ended, or is about to: nothing is sent or read any more.
    public var isClosed: Bool { state != .open && state != .connecting && state != .unidentified }

    /// The certificate that the peer has shown; nil for none. Made anew each time.
    public var peerCertificate: TLSPeerCertificate? { stream?.session?.peerCertificate }

    // MARK: Input

    /// Calls `body` with all unread input, in one piece, and the number of bytes that it has consumed (0 at first), which it
    /// sets; these are dropped afterwards. The memory is valid inside the call only. `body` may close the connection.
    public func withInput<R, E: Error>(_ body: (UnsafeRawBufferPointer, inout Int) throws(E) -> R) throws(E) -> R {
        var consumed = 0
        guard !isClosed, let input = stream?.input else {
            return try body(UnsafeRawBufferPointer(start: nil, count: 0), &consumed)
        }
        precondition(!viewing, "one view of the input at a time")
        viewing = true
        defer {
            viewing = false
            precondition(consumed >= 0 && consumed <= input.count, "more consumed than there was")
            if consumed > 0 { drop(consumed) }
        }
        return try input.withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes), &consumed) }
    }

    private func drop(_ count: Int) {
        guard stream != nil else { return }
        stream?.dropInput(count)
        watchInput()
    }

    /// Has libevent tell what comes, where it is to be read.
    func watchInput() {
        if reading, state == .open, stream?.isInputFull == false { stream?.watchInput() }
    }

    /// Stops or resumes reading. While it is off, what the peer sends waits in the system, and its closing is not told. Input
    /// that was left is told again when reading is turned on.
    ///
    /// Mostly it is off for a moment, and nothing comes: so libevent learns of it only when something does, which saves two calls
    /// to the system.
    public func setReading(_ on: Bool) {
        guard stream != nil, !isClosed, reading != on else { return }
        reading = on
        guard on else { return }
        watchInput()
        recall()
    }

    /// Limits how much input is buffered before reading pauses; it must hold the largest packet that is waited for. A read takes
    /// up to 16 KiB, and may go beyond it.
    public func setInputLimit(_ bytes: Int) {
        precondition(bytes > 0)
        stream?.inputLimit = Int32(clamping: bytes)
    }

    func appendInput(_ bytes: UnsafeRawBufferPointer) {
        precondition(!viewing, "a view of the input is out")
        stream?.appendInput(bytes)
    }

    // MARK: Output

    /// How many bytes wait to be written because the peer does not read fast enough.
    public var outputCount: Int { stream?.outputCount ?? 0 }

    /// Sends the bytes, after what was sent before. What the system does not take at once is buffered, without a limit: look at
    /// `outputCount` before sending much to a slow peer. After the end: no effect.
    public func send(_ bytes: UnsafeRawBufferPointer) {
        guard stream != nil, !isClosed, !bytes.isEmpty else { return }
        var sent = 0
        // Order holds, as nothing waits.
        if state == .open, outputCount == 0, let result = stream?.writeNow(bytes) {
            if let reason = result.end { return end(reason) }
            sent = result.count
            if sent == bytes.count { return }
        }
        stream?.appendOutput(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        if state == .open { stream?.watchRoom() }
    }

    /// Sends the bytes, after what was sent before.
    public func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { send($0) } }

    // MARK: Options

    /// Has the system find out that a silent peer is dead, by probes: as its listening socket has prepared
    /// (`ListeningSocket.prepareTCPKeepAlive`), or else as the system is set.
    public func enableTCPKeepAlive() throws(LibeventError) {
        guard let stream else { return }
        guard ps_set_option(stream.descriptor, SOL_SOCKET, SO_KEEPALIVE, 1) == 0 else { throw .lastSystemError("setsockopt") }
    }
}
