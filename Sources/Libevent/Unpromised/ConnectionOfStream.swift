internal import CLibevent

/// Trick: evhttp's connection is taken from the context of its bufferevent's callbacks.
///
/// - What it relies on: evhttp, when it has accepted a connection, asks for a bufferevent and sets its connection as the context
///   of that bufferevent's callbacks (`evhttp_get_request_connection`, `evhttp_connection_base_bufferevent_new`, http.c). It
///   names the connection itself only with its first request, which may never come.
/// - What it gains: connections are counted, read along with and closed before they have sent a request, without a second
///   bufferevent below each. Where the next request is taken this costs nothing; a filter costs 4,700
///   instructions a request.
/// - The plain way: a filter, which is ours from the beginning.
///
/// The context is set when the callback that makes the bufferevent has returned. So an event of ours is made active behind it: it
/// runs in this very pass of the loop, before anything can happen to the connection.
final class DirectIntake: HTTPIntake {
    // Safe: the service owns it.
    private unowned(unsafe) let service: HTTPService
    /// Bufferevents of connections that are just being accepted.
    private var fresh: [OpaquePointer] = []
    private var adopting: OpaquePointer?

    init(_ service: HTTPService) throws(LibeventError) {
        self.service = service
        // Unretained: the event is freed with this object.
        adopting = event_new(
            service.loop.turn.base, -1, 0,
            { _, _, context in
                guard let context else { return }
                Unmanaged<DirectIntake>.fromOpaque(context).takeUnretainedValue().adopt()
            }, Unmanaged.passUnretained(self).toOpaque())
        guard adopting != nil else { throw .library(call: "event_new") }
    }

    func makeStream(on base: OpaquePointer?) -> OpaquePointer? {
        // evhttp closes the descriptor itself, unless the bufferevent does.
        guard let stream = Transport.makeStream(on: base, by: service.security?.current, closing: false) else { return nil }
        fresh.append(stream)
        event_active(adopting, Int32(EV_TIMEOUT), 0)
        return stream
    }

    var pendingCount: Int { fresh.count }

    private func adopt() {
        for stream in fresh {
            guard let evhttpConnection = Self.connection(of: stream) else { continue }
            let link = DirectLink(evhttpConnection, stream: stream, isEncrypted: service.security != nil)
            link.didOpen(service.adopt(link))
        }
        fresh.removeAll(keepingCapacity: true)
    }

    static func connection(of stream: OpaquePointer) -> OpaquePointer? {
        var context: UnsafeMutableRawPointer?
        bufferevent_getcb(stream, nil, nil, nil, &context)
        return context.map { OpaquePointer($0) }
    }

    func free() {
        if let adopting { event_free(adopting) }
        adopting = nil
    }
}
