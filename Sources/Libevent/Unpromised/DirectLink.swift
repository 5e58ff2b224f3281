internal import CLibevent

/// The direct way: evhttp has the socket's bufferevent, and what it does not offer is done behind its back, by what stands in
/// this folder.
final class DirectLink: HTTPLink {
    let stream: OpaquePointer
    let transport: Transport
    // Safe: cleared when the connection closes.
    unowned(unsafe) var connection: HTTPConnection?
    /// evhttp's connection.
    let evhttpConnection: OpaquePointer
    let callbacks: SwappedCallbacks

    init(_ evhttpConnection: OpaquePointer, stream: OpaquePointer, isEncrypted: Bool) {
        self.evhttpConnection = evhttpConnection
        self.stream = stream
        transport = Transport(of: stream, isEncrypted: isEncrypted)
        callbacks = SwappedCallbacks(of: stream, context: evhttpConnection)
    }

    /// The connection has been made.
    func didOpen(_ connection: HTTPConnection) {
        evhttp_connection_set_closecb(
            evhttpConnection, { _, context in HTTPConnection.from(context)?.willClose() },
            Unmanaged.passUnretained(connection).toOpaque())
    }

    var unsentCount: Int { transport.unsentCount }

    func didArrive(_ request: OpaquePointer) {}

    func answerNow(_ answer: HTTPAnswer, to request: OpaquePointer) -> Bool {
        answerWithoutStart(answer, to: request)
    }

    func didHandOver() { bufferevent_disable(stream, ps_ev_read()) }

    func becameIdle() {}

    func endReply(_ request: OpaquePointer) { evhttp_send_reply_end(request) }

    func close() { evhttp_connection_free(evhttpConnection) }

    func didClose() { connection = nil }
}
