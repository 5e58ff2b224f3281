internal import CLibevent

// From the complete request to the end of its answer, in one piece or as a stream.

extension HTTPConnection {
    /// How much input is read ahead while an answer is streamed: evhttp reads on without a bound.
    private static let readAhead = 4096
    /// What is taken in before a close: closing with input unread would reset the connection, and might destroy the answer.
    private static let readBeforeClose = 1024 * 1024

    /// The request is complete: its handler's time is not limited here.
    func didArrive(_ request: OpaquePointer) {
        link.didArrive(request)
        state = .waiting
        service?.limitNoTime(of: self)
    }

    /// The answer, of so many bytes, goes to evhttp; the peer has to read it in time.
    func willAnswer(_ request: OpaquePointer, count: Int, closing: Bool) {
        state = .answering
        closesAfterAnswer = closing
        beginTransfer(of: count)
        // Unretained: evhttp calls it before it closes the connection or takes the next request from it.
        evhttp_request_set_on_complete_cb(
            request, { _, context in HTTPConnection.from(context)?.didAnswer() }, Unmanaged.passUnretained(self).toOpaque())
    }

    func beginTransfer(of count: Int) {
        progressMark = count
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitTransferTime(of: self)
    }

    /// The answer has been written past evhttp, all of it.
    func didAnswerAtOnce() {
        becomeIdle()
        link.becameIdle()
        watchInput(true)
    }

    private func becomeIdle() {
        state = .idle
        pending = nil
        guard let service else { return }
        since = service.loop.monotonicNow
        service.limitIdleTime(of: self)
    }

    private func didAnswer() {
        guard let service else { return }
        streamedReply = nil
        if closesAfterAnswer { return willCloseAfterAnswer() }
        becomeIdle()
        bufferevent_setwatermark(stream, ps_ev_read(), 0, 0)
        link.transport.recoverDecryptedInput()
        link.becameIdle()
        watchInput(true)
        let count = evbuffer_get_length(input)
        if count > 0 {
            // A request that was sent ahead.
            begin()
            arrival.received = count
            readAlong(count)
        }
        service.didBecomeIdle()
    }

    /// evhttp closes now by itself, except where a stream had begun before the server drained: then it goes on to read requests,
    /// and there must be none.
    private func willCloseAfterAnswer() {
        state = .refused
        dropInput()
        link.transport.discardInput(upTo: Self.readBeforeClose)
        service?.loop.afterCallback { [weak self] in self?.close() }
    }

    // MARK: Streams

    /// The answer's first piece goes to evhttp; until the last there is no time limit.
    func willStream(_ reply: StreamedReply) {
        streamedReply = reply
        state = .streaming
        bufferevent_setwatermark(stream, ps_ev_read(), 0, Self.readAhead)
    }

    /// The last piece goes to evhttp; from now on it is an answer like any other.
    func willEndStream(_ request: OpaquePointer) {
        willAnswer(request, count: link.unsentCount, closing: closesNext || !arrival.scan.isHTTP11)
        link.endReply(request)
    }
}
