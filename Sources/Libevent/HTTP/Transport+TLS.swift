internal import CLibevent
internal import Glibc

// The encrypted form of a connection's way. The session is OpenSSL's, and the bufferevent is libevent's over it; both sides use
// the session here, which OpenSSL allows on one thread as long as a write that was told to wait is tried again with the same
// bytes in front.
//
// Bytes that OpenSSL has decrypted and nobody has taken are announced by no event. libevent takes all of them whenever it reads,
// unless the bufferevent's high watermark stops it in between; so an encrypted one has none where it is read on later.

extension Transport {
    /// A bufferevent that does the server's part of a handshake; nil when there is no memory.
    static func makeEncryptedStream(on base: OpaquePointer?, _ context: TLSContext) -> OpaquePointer? {
        guard let session = context.makeSession() else { return nil }
        SSL_set_info_callback(session, handshakeThunk)
        // It frees the session with the socket, and where it fails.
        return bufferevent_openssl_socket_new(
            base, -1, session, BUFFEREVENT_SSL_ACCEPTING, Int32(BEV_OPT_CLOSE_ON_FREE.rawValue))
    }

    /// A bufferevent that does the client's part of a handshake.
    static func makeEncryptedStream(
        on base: OpaquePointer?, to host: String, _ context: TLSClientContext
    ) throws(LibeventError) -> OpaquePointer {
        let session: OpaquePointer
        do throws(TLSError) {
            session = try context.makeSession(to: host)
        } catch {
            throw .distrusted(.failure(reason: error.description))
        }
        // It frees the session with the socket, and where it fails.
        guard
            let stream = bufferevent_openssl_socket_new(
                base, -1, session, BUFFEREVENT_SSL_CONNECTING, Int32(BEV_OPT_CLOSE_ON_FREE.rawValue))
        else { throw .library(call: "bufferevent_openssl_socket_new") }
        return stream
    }

    private var session: TLSSession? { isEncrypted ? bufferevent_openssl_get_ssl(stream).map(TLSSession.init(of:)) : nil }

    /// Whether the handshake is done, where there is one.
    var isEstablished: Bool { session?.isEstablished ?? true }

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

    // MARK: Reading and writing at once

    /// Not that something waits in OpenSSL: it may be a part of a record, whose rest may never come. Whole ones that are not
    /// decrypted wait in the socket.
    var hasDecryptedInput: Bool { session?.hasDecryptedInput == true }

    /// Returns 0 where nothing was read.
    func readNowDecrypting(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if case .moved(let count) = session?.read(into: buffer, over: descriptor) { count } else { 0 }
    }

    /// Takes a record at most: all of it or nothing, as OpenSSL keeps the rest of what the system takes in part, and the same
    /// bytes have to be written again.
    func writeNowEncrypting(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch session?.write(bytes, over: descriptor) {
        case .moved(let count): return count
        case .awaitsInput, .awaitsRoom: errno = EAGAIN
        case .ended(.failed(let code)): errno = code
        case .ended, nil: errno = EPROTO
        }
        return -1
    }

    /// Puts into the input what has been decrypted and taken by nobody.
    func recoverDecryptedInput() {
        guard isEncrypted else { return }
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            while hasDecryptedInput, case let count = readNow(into: buffer), count > 0 {
                guard appendToInput(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
            }
        }
    }

    // MARK: The end

    /// Tells the peer that nothing follows, where it is encrypted.
    func sayGoodbye() { session?.sayGoodbye(over: descriptor) }

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

/// Called when OpenSSL leaves a handshake that is not done. A first flight costs as much as hundreds of messages, and libevent
/// calls nobody for it: so the loop looks here whether its turn is over.
///
/// libevent asks OpenSSL afterwards what became of this handshake, which looks at the thread's error queue and at `errno`. What
/// the turn has done with other connections must not be seen there; and a handshake that has failed is left to libevent at once.
private func handshakeThunk(_ session: OpaquePointer?, _ place: Int32, _ result: Int32) {
    guard place == SSL_CB_ACCEPT_EXIT, result <= 0, SSL_is_init_finished(session) == 0, ERR_peek_error() == 0 else { return }
    let code = errno
    EventLoop.current?.didHandshake()
    ERR_clear_error()
    errno = code
}
