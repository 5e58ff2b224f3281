internal import CLibevent

/// Ends connections whose peer sends record after record that carries nothing: new keys (RFC 8446 §4.6.3) cost us as much as a
/// hundred messages, and OpenSSL reads on until data comes, so that one peer would hold up everybody on its loop.
enum RecordWatch {
    /// How many such records may come in a row after the handshake. Nobody needs new keys before 2^24 records.
    static let mostInARow = 32

    /// Where a session keeps how many have come.
    private static let place = ps_tls_session_index()

    static func begin(on context: OpaquePointer) { SSL_CTX_set_msg_callback(context, recordThunk) }

    /// A record of some type has come.
    fileprivate static func count(_ session: OpaquePointer, isData: Bool) {
        let count = Int(bitPattern: SSL_get_ex_data(session, place))
        if isData {
            if count > 0 { SSL_set_ex_data(session, place, nil) }
            return
        }
        guard SSL_is_init_finished(session) == 1 else { return }
        SSL_set_ex_data(session, place, UnsafeMutableRawPointer(bitPattern: count + 1))
        // What follows is thrown away: the next read finds the stream at its end.
        if count >= mostInARow { SSL_set_shutdown(session, SSL_get_shutdown(session) | SSL_RECEIVED_SHUTDOWN) }
    }
}

/// SSL_CTX_set_msg_callback(3). Of TLS 1.3 the type stands inside of a record, and the outer one is that of data.
private func recordThunk(
    _ isWritten: Int32, _ version: Int32, _ what: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ session: OpaquePointer?,
    _ argument: UnsafeMutableRawPointer?
) {
    guard isWritten == 0, let session, let bytes, count > 0 else { return }
    let isData = bytes.load(as: UInt8.self) == UInt8(SSL3_RT_APPLICATION_DATA)
    switch what {
    case SSL3_RT_INNER_CONTENT_TYPE: RecordWatch.count(session, isData: isData)
    case SSL3_RT_HEADER where SSL_version(session) != TLS1_3_VERSION || !isData: RecordWatch.count(session, isData: isData)
    default: break
    }
}
