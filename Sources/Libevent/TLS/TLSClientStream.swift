internal import CLibevent
internal import Glibc

/// The client's end of TLS over a socket that blocks, and that it does not own: for programs that read one stream by a thread.
public final class TLSClientStream {
    private let session: OpaquePointer

    /// Does the handshake.
    /// - Parameters:
    ///   - descriptor: a connected socket that outlives the stream. Its time-outs (`SO_RCVTIMEO`, `SO_SNDTIMEO`) hold here too.
    ///   - host: to which the server's certificate has to be made out.
    /// - Throws: ``TLSDistrust``.
    public init(over descriptor: Int32, to host: String, by context: TLSClientContext) throws(TLSDistrust) {
        do throws(TLSError) {
            session = try context.makeSession(to: host)
        } catch {
            throw .failure(reason: error.description)
        }
        guard SSL_set_fd(session, descriptor) == 1, retrying({ SSL_connect(session) }) == 1 else {
            let reason = errno == EAGAIN ? "no answer in time" : "the connection ended"
            let code = ERR_peek_error()
            throw TLSDistrust(of: session, code == 0 ? nil : TLSFailure(code: code)) ?? .failure(reason: reason)
        }
    }

    deinit {
        ERR_clear_error()
        SSL_free(session)
    }

    /// Writes all bytes; false when the connection has ended, or has not taken them in time.
    public func write(_ bytes: [UInt8]) -> Bool {
        let count = Int32(clamping: bytes.count)
        return bytes.isEmpty || retrying { SSL_write(session, bytes, count) } == count
    }

    /// Reads what comes next; 0 or less at the end, and, with `EAGAIN`, when nothing has come in time.
    public func read(into buffer: inout [UInt8]) -> Int {
        Int(retrying { SSL_read(session, &buffer, Int32(clamping: buffer.count)) })
    }

    /// Does a call of OpenSSL again that a signal has interrupted. `errno` is EAGAIN afterwards when the time was up.
    private func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            // Or OpenSSL would take an older error for this call's.
            ERR_clear_error()
            errno = 0
            let result = call()
            let code = errno
            let reason = result > 0 ? SSL_ERROR_NONE : SSL_get_error(session, result)
            let isUnfinished = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE
            if isUnfinished, code == EINTR { continue }
            errno = isUnfinished ? EAGAIN : code
            return result
        }
    }
}
