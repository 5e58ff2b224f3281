internal import CLibevent
internal import Glibc

/// The socket of a `Connection`, in clear or with TLS: what it has read and nobody has taken, what is still to be written, and
/// libevent's events that tell when more can be done.
///
/// There are as many as devices, and most are idle. Such a one is an event and no buffer, which is a sixth of what a
/// bufferevent takes; and a read is one call to the system, where a bufferevent asks first how much there is.
struct SocketStream {
    let descriptor: Int32
    /// Where more input waits than this, nothing is read.
    var inputLimit = Int32(Connection.standardInputLimit)
    /// What encrypts it; nil: it is in clear.
    let session: TLSSession?
    private let readable: OpaquePointer
    /// Only while something is to be written.
    private var writable: OpaquePointer?
    /// What has been read and not been taken.
    private(set) var input: [UInt8] = []
    /// What is to be written; what stands before `written` has been.
    private var output: [UInt8] = []
    private var written = 0
    private var isReadWatched = false
    /// A read goes on when the system takes more: the peer wants new keys.
    private var awaitsRoomToRead = false

    /// - Parameters:
    ///   - descriptor: is closed with the stream, or where it cannot be made; `session` goes with it.
    ///   - callback: called with `context` when something that is watched can be done.
    init(
        _ descriptor: Int32, by session: TLSSession?, on base: OpaquePointer, _ callback: event_callback_fn,
        _ context: UnsafeMutableRawPointer
    ) throws(LibeventError) {
        guard let readable = event_new(base, descriptor, ps_ev_read() | ps_ev_persist(), callback, context) else {
            session?.free()
            Glibc.close(descriptor)
            throw .library(call: "event_new")
        }
        (self.descriptor, self.session, self.readable) = (descriptor, session, readable)
    }

    /// Nothing else may be called afterwards.
    func close() {
        session?.sayGoodbye(over: descriptor)
        // The events first: libevent must not know a descriptor that is closed.
        event_free(readable)
        if let writable { event_free(writable) }
        session?.free()
        Glibc.close(descriptor)
    }

    // MARK: What is watched

    // Where libevent cannot watch, as there is no memory, nothing is heard of the socket: its owner's time limit ends it.

    /// Has the callback called when the peer has sent something.
    mutating func watchInput() {
        guard !isReadWatched else { return }
        isReadWatched = event_add(readable, nil) == 0
    }

    mutating func ignoreInput() {
        guard isReadWatched else { return }
        isReadWatched = false
        event_del(readable)
    }

    /// Has the callback called when the system takes more.
    mutating func watchRoom() {
        guard writable == nil else { return }
        let interest = ps_ev_write() | ps_ev_persist()
        writable = event_new(
            event_get_base(readable), descriptor, interest, event_get_callback(readable), event_get_callback_arg(readable))
        if let writable { event_add(writable, nil) }
    }

    mutating func ignoreRoom() {
        if let writable { event_free(writable) }
        writable = nil
    }

    /// Does what can be done of the handshake; nil where there is none.
    func shakeHands() -> Transfer? { session?.shakeHands(over: descriptor) }

    // MARK: Reading

    /// As much as one read takes.
    static let readSize = TLSSession.recordSize

    /// Whether there is so much input that nothing is read.
    var isInputFull: Bool { input.count >= inputLimit }

    /// Whether something waits that has not been read. It costs a call to the system.
    var hasUnreadInput: Bool { ps_is_readable(descriptor) != 0 || session?.hasDecryptedInput == true }

    /// Whether the other end has closed its side, or reset the connection. It costs a call to the system.
    var isEndedByPeer: Bool { ps_is_ended(descriptor) != 0 }

    /// Reads what waits. What has been read is not part of the input unless it is appended.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        guard let session else { return readPlain(into: buffer) }
        let result = session.read(into: buffer, over: descriptor)
        if case .awaitsRoom = result {
            awaitsRoomToRead = true
            watchRoom()
        }
        return result
    }

    private func readPlain(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended(.endOfStream) }
        return errno == EAGAIN || errno == EINTR ? .awaitsInput : .ended(.failed(errno))
    }

    /// Whether a read waited for the system to take more; it may go on.
    mutating func takeReadThatAwaitsRoom() -> Bool {
        defer { awaitsRoomToRead = false }
        return awaitsRoomToRead
    }

    mutating func appendInput(_ bytes: UnsafeRawBufferPointer) { input.append(contentsOf: bytes) }

    /// Forgets the first bytes of the input.
    mutating func dropInput(_ count: Int) {
        if count == input.count { input = [] } else { input.removeFirst(count) }
    }

    // MARK: Writing

    /// How many bytes wait to be written.
    var outputCount: Int { output.count - written }

    /// Writes what the system takes at once. Nothing may wait to be written.
    /// - Returns: how many bytes; the rest has to be appended to what waits, before anything else.
    func writeNow(_ bytes: UnsafeRawBufferPointer) -> (count: Int, end: Connection.CloseReason?) {
        var count = 0
        while count < bytes.count {
            switch write(UnsafeRawBufferPointer(rebasing: bytes[count...])) {
            case .moved(let more): count += more
            case .awaitsInput, .awaitsRoom: return (count, nil)
            case .ended(let reason): return (count, reason)
            }
        }
        return (count, nil)
    }

    @inline(__always)
    private func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        if let session { return session.write(bytes, over: descriptor) }
        let count = ps_send(descriptor, bytes.baseAddress, bytes.count)
        if count > 0 { return .moved(count) }
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? .awaitsRoom : .ended(.failed(errno))
    }

    mutating func appendOutput(_ bytes: UnsafeRawBufferPointer) { output.append(contentsOf: bytes) }

    /// What one call writes at most of what waits: others are to have their turn.
    private static let writeSize = 64 * 1024

    /// Writes of what waits, and no longer watches for room when all of it is written.
    /// - Returns: why nothing can be written any more.
    mutating func writeWaiting() -> Connection.CloseReason? {
        let (count, end) = output.withUnsafeBytes { output in
            writeNow(UnsafeRawBufferPointer(rebasing: output[written...].prefix(Self.writeSize)))
        }
        written += count
        if written == output.count {
            (output, written) = ([], 0)
            if !awaitsRoomToRead { ignoreRoom() }
        } else if written > output.count / 2 {
            output.removeFirst(written)
            written = 0
        }
        return end
    }

    /// Ends our side of the stream. Returns whether it could be.
    func shutDownWriting() -> Bool {
        session?.sayGoodbye(over: descriptor)
        return ps_shutdown_write(descriptor) == 0
    }
}
