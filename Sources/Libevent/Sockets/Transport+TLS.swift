internal import CLibevent
internal import Glibc

// The encrypted form of a connection's way. The session is OpenSSL's, and the bufferevent is libevent's over it; both sides use
// the session here, which OpenSSL allows on one thread as long as a write that was told to wait is tried again with the same
// bytes in front.
//
// Bytes that OpenSSL has decrypted and nobody has taken are announced by no event. libevent takes all of them whenever it reads,
// unless the bufferevent's high watermark stops it in between; so an encrypted one has none where it is read on later.

extension Transport {
    /// Makes the bufferevent of an accepted socket, which it closes at its end; the handshake begins with the peer's first bytes.
    init(accepting descriptor: Int32, by context: TLSContext, on base: OpaquePointer) throws(LibeventError) {
        guard let stream = Self.makeEncryptedStream(on: base, descriptor: descriptor, context) else {
            close(descriptor)
            throw .library(call: "bufferevent_openssl_socket_new")
        }
        // Or it would be asked at once whether the socket can be written. `write` turns it on.
        bufferevent_disable(stream, ps_ev_write())
        self.init(of: stream, descriptor: descriptor, isEncrypted: true)
    }

    /// A bufferevent that does the server's part of a handshake; nil when there is no memory.
    /// - Parameter descriptor: -1 when whoever takes the bufferevent gives it its socket.
    static func makeEncryptedStream(on base: OpaquePointer?, descriptor: Int32 = -1, _ context: TLSContext) -> OpaquePointer? {
        guard let session = context.makeSession() else { return nil }
        // It frees the session with the socket, and where it fails.
        return bufferevent_openssl_socket_new(
            base, descriptor, session, BUFFEREVENT_SSL_ACCEPTING, Int32(BEV_OPT_CLOSE_ON_FREE.rawValue))
    }

    /// Makes the bufferevent of a socket that is being connected, which it closes at its end.
    init(
        connecting descriptor: Int32, to host: String, by context: TLSClientContext, isResuming: Bool, on base: OpaquePointer
    ) throws(LibeventError) {
        let stream: OpaquePointer
        do throws(LibeventError) {
            stream = try Self.makeEncryptedStream(on: base, descriptor: descriptor, to: host, context, isResuming: isResuming)
        } catch {
            close(descriptor)
            throw error
        }
        self.init(of: stream, descriptor: descriptor, isEncrypted: true)
    }

    /// A bufferevent that does the client's part of a handshake.
    /// - Parameter descriptor: -1 when whoever takes the bufferevent gives it its socket. After an error it is the caller's.
    static func makeEncryptedStream(
        on base: OpaquePointer?, descriptor: Int32 = -1, to host: String, _ context: TLSClientContext, isResuming: Bool = true
    ) throws(LibeventError) -> OpaquePointer {
        let session: OpaquePointer
        do throws(TLSError) {
            session = try context.makeSession(to: host, isResuming: isResuming)
        } catch {
            throw .distrusted(.failure(reason: error.description))
        }
        // It frees the session with the socket, and where it fails.
        guard
            let stream = bufferevent_openssl_socket_new(
                base, descriptor, session, BUFFEREVENT_SSL_CONNECTING, Int32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        else { throw .library(call: "bufferevent_openssl_socket_new") }
        return stream
    }

    var isResumed: Bool { isEncrypted && SSL_session_reused(session) == 1 }

    private var session: OpaquePointer? { bufferevent_openssl_get_ssl(stream) }

    /// Whether the handshake is done, where there is one.
    var isEstablished: Bool { !isEncrypted || SSL_is_init_finished(session) == 1 }

    /// What OpenSSL had against the peer; nil where it had nothing.
    func takeFailure() -> TLSFailure? { Self.takeFailure(of: stream) }

    static func takeFailure(of stream: OpaquePointer) -> TLSFailure? {
        var first: UInt?
        // The newest comes first; the oldest is the reason of the others.
        while case let code = bufferevent_get_openssl_error(stream), code != 0 {
            if ps_error_library(code) != 0 { first = code }
        }
        return first.map { TLSFailure(code: $0) }
    }

    /// The certificate that the peer has shown; nil for none.
    var peerCertificate: TLSPeerCertificate? { isEncrypted ? TLSPeerCertificate(of: session) : nil }

    // MARK: Reading and writing at once

    /// Not `SSL_has_pending`, which is also 1 for a part of a record: its rest may never come. Whole ones that are not decrypted
    /// wait in the socket.
    var hasDecryptedInput: Bool { SSL_pending(session) > 0 }

    func readNowDecrypting(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        ERR_clear_error()
        let count = SSL_read(session, buffer.baseAddress, Int32(clamping: buffer.count))
        ERR_clear_error()
        return Int(count)
    }

    /// Takes all or nothing: where the system takes only a part, OpenSSL keeps the rest of its record, and the same bytes have to
    /// be written again.
    func writeNowEncrypting(_ bytes: UnsafeRawBufferPointer) -> Int {
        ERR_clear_error()
        let count = SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count))
        if count > 0 { return Int(count) }
        let code = errno
        let reason = SSL_get_error(session, count)
        // Or it would be read as the next connection's.
        ERR_clear_error()
        switch reason {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: errno = EAGAIN
        case SSL_ERROR_SYSCALL: errno = code == 0 ? EPIPE : code
        default: errno = EPROTO
        }
        return -1
    }

    /// Puts into the input what has been decrypted and taken by nobody.
    func recoverDecryptedInput() {
        guard isEncrypted else { return }
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            while SSL_pending(session) > 0, case let count = readNow(into: buffer), count > 0 {
                guard appendToInput(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
            }
        }
    }

    // MARK: The end

    /// Tells the peer that nothing follows (close_notify), so that it need not take the end for an attack. Again, in the
    /// handshake, and where nothing is encrypted: no effect.
    func sayGoodbye() {
        guard isEncrypted, isEstablished, SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0 else { return }
        ERR_clear_error()
        // Whether the peer says so too does not matter: the socket's end is the end.
        SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Tells a peer that has sent an HTTP request in clear what it has found.
    func refusePlainHTTP() {
        // Unread input would reset the connection with the answer on its way.
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            _ = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        }
        var answer: StaticString {
            """
            HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 37\r\nConnection: close\r\n\r\n\
            This port speaks HTTPS: use https://\n
            """
        }
        // Where it cannot be written the connection just ends.
        _ = ps_send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount)
    }
}
