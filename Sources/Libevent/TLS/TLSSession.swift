internal import CLibevent
internal import Glibc

/// OpenSSL's object of one connection. Whoever has it frees it, once; each of its calls is made on one thread.
struct TLSSession {
    let pointer: OpaquePointer

    /// The session of a connection that begins.
    /// - Parameters:
    ///   - pointer: is taken.
    ///   - bio: OpenSSL's way to a socket, which the sessions of a loop share: it holds nothing but which socket is meant, and
    ///     one for each would be 200 bytes. So each call that reads or writes names its socket.
    ///   - isServer: which part of the handshake is ours.
    init(_ pointer: OpaquePointer, by bio: OpaquePointer, isServer: Bool) {
        self.pointer = pointer
        BIO_up_ref(bio)
        SSL_set_bio(pointer, bio, bio)
        if isServer { SSL_set_accept_state(pointer) } else { SSL_set_connect_state(pointer) }
        // A flight is several records, and each is read by two calls to the system unless OpenSSL may read on. And a buffer is
        // asked for once in a handshake, not once in a record.
        SSL_set_read_ahead(pointer, 1)
        ps_tls_keep_buffers(pointer)
    }

    /// One that somebody else has and frees.
    init(of pointer: OpaquePointer) { self.pointer = pointer }

    func free() { SSL_free(pointer) }

    // MARK: The handshake

    /// Does what can be done of the handshake. `moved` when it is over; what follows it may have been read already:
    /// `hasUnreadRecords`.
    func shakeHands(over descriptor: Int32) -> Transfer {
        let result = attempt(over: descriptor) { SSL_do_handshake(pointer) }
        if case .moved = result {
            // From now on what comes waits in the socket, where libevent sees it, and an idle connection has no buffers.
            SSL_set_read_ahead(pointer, 0)
            ps_tls_release_buffers(pointer)
            SSL_free_buffers(pointer)
        }
        return result
    }

    /// Whether the handshake is done.
    var isEstablished: Bool { SSL_is_init_finished(pointer) == 1 }

    /// Whether the handshake took up an earlier session.
    var isResumed: Bool { SSL_session_reused(pointer) == 1 }

    /// The certificate that the peer has shown; nil for none.
    var peerCertificate: TLSPeerCertificate? { TLSPeerCertificate(of: pointer) }

    // MARK: Reading and writing

    /// Whether a record has been decrypted, and not taken as a whole: no event tells of it.
    var hasDecryptedInput: Bool { SSL_pending(pointer) > 0 }

    /// Whether something waits here and not in the socket. It may be a part of a record, whose rest may never come.
    var hasUnreadRecords: Bool { SSL_has_pending(pointer) == 1 }

    /// The most that a record holds (RFC 8446 §5.1): a read into as much room leaves nothing decrypted behind.
    static let recordSize = 16 * 1024

    func read(into buffer: UnsafeMutableRawBufferPointer, over descriptor: Int32) -> Transfer {
        attempt(over: descriptor) { SSL_read(pointer, buffer.baseAddress, Int32(clamping: buffer.count)) }
    }

    /// Writes one record at most. After `awaitsRoom` the same bytes have to be written next, and may have moved.
    func write(_ bytes: UnsafeRawBufferPointer, over descriptor: Int32) -> Transfer {
        attempt(over: descriptor) { SSL_write(pointer, bytes.baseAddress, Int32(min(bytes.count, Self.recordSize))) }
    }

    /// Tells the peer that nothing follows (close_notify), so that it need not take the end for an attack. Again, and in the
    /// handshake: no effect.
    func sayGoodbye(over descriptor: Int32) {
        guard isEstablished, SSL_get_shutdown(pointer) & SSL_SENT_SHUTDOWN == 0 else { return }
        ps_tls_set_socket(pointer, descriptor)
        ERR_clear_error()
        // Whether the peer says so too does not matter: the socket's end is the end.
        SSL_shutdown(pointer)
        ERR_clear_error()
    }

    private func attempt(over descriptor: Int32, _ call: () -> Int32) -> Transfer {
        ps_tls_set_socket(pointer, descriptor)
        // Or OpenSSL would take what another connection has left in the thread's queue for this call's.
        ERR_clear_error()
        errno = 0
        let result = call()
        if result > 0 { return .moved(Int(result)) }
        let code = errno
        switch SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: return .awaitsInput
        case SSL_ERROR_WANT_WRITE: return .awaitsRoom
        case SSL_ERROR_ZERO_RETURN: return .ended(.endOfStream)
        default:
            // The oldest is the reason of the others.
            let oldest = ERR_get_error()
            ERR_clear_error()
            return .ended(oldest != 0 ? .insecure(TLSFailure(code: oldest)) : .failed(code != 0 ? code : EPIPE))
        }
    }
}
