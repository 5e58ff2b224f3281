internal import CLibevent

/// The plain way: evhttp has a filter over the socket's bufferevent, and what it must not have stays below the filter.
///
/// A filter has its own idea of when something has been written: as soon as it has passed on. evhttp would close a connection
/// then, with the answer still on its way. So the output's filter never says that it has passed anything on, and evhttp is told
/// when the socket's bufferevent has written it.
final class PlainLink: HTTPLink {
    let stream: OpaquePointer
    private let socket: OpaquePointer
    private let isEncrypted: Bool
    private let loop: EventLoop
    // Safe: cleared when the connection closes.
    unowned(unsafe) var connection: HTTPConnection?

    /// Something of evhttp's waits in the socket's bufferevent.
    private var isWriting = false
    private var isFlushing = false
    /// A streamed answer that ends when all of it has been written.
    private var ending: OpaquePointer?

    /// What one read of the socket takes in, and no more while evhttp does not read.
    private static let readLimit = 16 * 1024

    /// Nil when there is no memory.
    init?(on base: OpaquePointer?, by security: TLSContext?, loop: EventLoop) {
        guard let socket = Transport.makeStream(on: base, by: security, closing: true) else { return nil }
        // Set below, when there is an object to point to.
        let context = UnsafeMutablePointer<Unmanaged<PlainLink>?>.allocate(capacity: 1)
        context.initialize(to: nil)
        guard
            let stream = bufferevent_filter_new(
                socket,
                { source, target, limit, _, context in PlainLink.from(context)?.passIn(source, target, limit) ?? BEV_ERROR },
                { source, target, _, _, context in PlainLink.from(context)?.passOut(source, target) ?? BEV_ERROR },
                Int32(BEV_OPT_CLOSE_ON_FREE.rawValue), { context in PlainLink.release(context) }, context)
        else {
            bufferevent_free(socket)
            context.deallocate()
            return nil
        }
        (self.socket, self.stream, self.loop) = (socket, stream, loop)
        isEncrypted = security != nil
        // Retained: the filter goes when evhttp lets it go, which may be later than everybody else does.
        context.pointee = Unmanaged.passRetained(self)
        if !isEncrypted { bufferevent_setwatermark(socket, ps_ev_read(), 0, Self.readLimit) }
        watchOutputs()
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> PlainLink? {
        context?.assumingMemoryBound(to: Unmanaged<PlainLink>?.self).pointee?.takeUnretainedValue()
    }

    /// The filter has gone, and so has evhttp's connection: a connection that never had a request learns of it here.
    private static func release(_ context: UnsafeMutableRawPointer?) {
        guard let context = context?.assumingMemoryBound(to: Unmanaged<PlainLink>?.self) else { return }
        let link = context.pointee?.takeRetainedValue()
        context.deallocate()
        link?.connection?.willClose()
    }

    var transport: Transport { Transport(of: socket, isEncrypted: isEncrypted) }

    // MARK: Input

    private func passIn(_ source: OpaquePointer?, _ target: OpaquePointer?, _ limit: Int) -> bufferevent_filter_result {
        let count = evbuffer_get_length(source)
        guard count > 0 else { return BEV_NEED_MORE }
        // The connection reads along, and drops what evhttp must not have.
        evbuffer_remove_buffer(source, target, limit < 0 ? count : min(count, limit))
        return connection?.state == .refused ? BEV_NEED_MORE : BEV_OK
    }

    func didArrive(_ request: OpaquePointer) {
        guard let connection else { return }
        // From now on its end is known at once, and not only when the filter goes.
        evhttp_connection_set_closecb(
            evhttp_request_get_connection(request), { _, context in HTTPConnection.from(context)?.willClose() },
            Unmanaged.passUnretained(connection).toOpaque())
    }

    func becameIdle() {
        guard evbuffer_get_length(transport.input) > 0 else { return }
        // There was no room above for what is left below. evhttp turns reading on only now, behind its callback.
        loop.afterCallback { [self] in
            guard let connection, connection.state == .idle || connection.state == .arriving else { return }
            bufferevent_flush(stream, ps_ev_read(), BEV_NORMAL)
            if connection.state != .refused { bufferevent_trigger(stream, ps_ev_read(), 0) }
        }
    }

    // MARK: Output

    func answerNow(_ answer: HTTPAnswer, to request: OpaquePointer) -> Bool { false }

    func didHandOver() { bufferevent_disable(stream, ps_ev_read()) }

    private func watchOutputs() {
        // Unretained: the callbacks go with the buffers, before the filter lets this object go.
        let context = Unmanaged.passUnretained(self).toOpaque()
        evbuffer_add_cb(
            bufferevent_get_output(stream),
            { _, change, context in
                if let change, let context, change.pointee.n_added > 0 {
                    Unmanaged<PlainLink>.fromOpaque(context).takeUnretainedValue().flushSoon()
                }
            }, context)
        evbuffer_add_cb(
            bufferevent_get_output(socket),
            { output, change, context in
                if let change, let context, change.pointee.n_deleted > 0, evbuffer_get_length(output) == 0 {
                    Unmanaged<PlainLink>.fromOpaque(context).takeUnretainedValue().didWriteAll()
                }
            }, context)
    }

    /// A filter passes on what is added while writing is on, and evhttp turns it on behind what it has added.
    private func flushSoon() {
        guard !isFlushing else { return }
        isFlushing = true
        loop.afterCallback { [self] in
            isFlushing = false
            if connection != nil { bufferevent_flush(stream, ps_ev_write(), BEV_NORMAL) }
        }
    }

    private func passOut(_ source: OpaquePointer?, _ target: OpaquePointer?) -> bufferevent_filter_result {
        if evbuffer_get_length(source) > 0 {
            isWriting = true
            evbuffer_add_buffer(target, source)
        }
        return BEV_NEED_MORE
    }

    private func didWriteAll() {
        guard isWriting else { return }
        loop.afterCallback { [self] in
            guard connection != nil, isWriting, unsentCount == 0 else { return }
            isWriting = false
            if let request = ending {
                ending = nil
                evhttp_send_reply_end(request)
            } else {
                bufferevent_trigger(stream, ps_ev_write(), 0)
            }
        }
    }

    var unsentCount: Int { evbuffer_get_length(bufferevent_get_output(stream)) + transport.unsentCount }

    func endReply(_ request: OpaquePointer) {
        // Without chunks evhttp asks its own buffer whether all has been written.
        if unsentCount == 0 { evhttp_send_reply_end(request) } else { ending = request }
    }

    // MARK: The end

    func close() {
        transport.sayGoodbye()
        // As if the peer had left: evhttp then closes the connection.
        bufferevent_trigger_event(stream, Int16(BEV_EVENT_READING | BEV_EVENT_ERROR), 0)
        connection?.willClose()
    }

    func didClose() {
        // evhttp has taken it off its connection, so it is ours to free, by ending it.
        if let ending, evhttp_request_get_connection(ending) == nil { evhttp_send_reply_end(ending) }
        ending = nil
        connection = nil
    }
}

/// The plain way in: the link makes the bufferevent, and so knows the connection from the beginning.
final class PlainIntake: HTTPIntake {
    // Safe: the service owns it.
    private unowned(unsafe) let service: HTTPService

    init(_ service: HTTPService) { self.service = service }

    func makeStream(on base: OpaquePointer?) -> OpaquePointer? {
        guard let link = PlainLink(on: base, by: service.security?.current, loop: service.loop) else { return nil }
        service.adopt(link)
        return link.stream
    }

    var pendingCount: Int { 0 }

    func free() {}
}
