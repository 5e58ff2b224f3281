internal import CLibevent

/// The client's end of TLS over a socket that blocks, and that it does not own: for programs that read one stream by a thread.
public final class TLSClientStream {
    private let session: OpaquePointer

    /// Does the handshake.
    /// - Parameters:
    ///   - descriptor: a connected socket that outlives the stream.
    ///   - host: to which the server's certificate has to be made out.
    /// - Throws: ``TLSDistrust``.
    public init(over descriptor: Int32, to host: String, by context: TLSClientContext) throws(TLSDistrust) {
        do throws(TLSError) {
            session = try context.makeSession(to: host)
        } catch {
            throw .failure(reason: error.description)
        }
        guard SSL_set_fd(session, descriptor) == 1, SSL_connect(session) == 1 else {
            let code = ERR_peek_error()
            throw TLSDistrust(of: session, code == 0 ? nil : TLSFailure(code: code)) ?? .failure(reason: "the connection ended")
        }
    }

    deinit {
        ERR_clear_error()
        SSL_free(session)
    }

    /// Writes all bytes; false when the connection has ended.
    public func write(_ bytes: [UInt8]) -> Bool {
        ERR_clear_error()
        return bytes.isEmpty || SSL_write(session, bytes, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count)
    }

    /// Reads what comes next; 0 or less at the end.
    public func read(into buffer: inout [UInt8]) -> Int {
        ERR_clear_error()
        return Int(SSL_read(session, &buffer, Int32(clamping: buffer.count)))
    }
}
