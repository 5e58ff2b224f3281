internal import CLibevent
internal import Glibc

// Refusing a request before evhttp has all of it. evhttp would first read the body, by whichever length it believes, or answer
// with a page of its own. So nothing more of it reaches evhttp: what has come, and what still comes, is dropped before evhttp
// looks, so that the peer can finish and read the answer. The stream's callbacks become ours, and the answer is written past
// evhttp. Its connection is closed at the end like any other.

extension HTTPConnection {
    func refuse(_ head: HTTPRequestHead) {
        state = .refused
        dropInput()
        // Not from inside evhttp's callbacks, one of which may be at work.
        service?.loop.afterCallback { [weak self] in self?.askForRefusal(of: head) }
    }

    private func askForRefusal(of head: HTTPRequestHead) {
        guard let service else { return }
        let transport = link.transport
        service.limitTransferTime(of: self)
        bufferevent_setcb(
            transport.stream, { stream, _ in drainInput(of: stream) },
            { _, context in HTTPConnection.from(context)?.didWriteRefusal() },
            { _, what, context in HTTPConnection.from(context)?.didHappen(Int32(what)) },
            Unmanaged.passUnretained(self).toOpaque())
        transport.dropInput()
        let pending = PendingRequest(.refused(head), of: self)
        self.pending = pending
        service.handle(pending, of: self)
    }

    /// Writes the answer to a refused request.
    func answerRefused(_ answer: HTTPAnswer) {
        guard state == .refused, let service else { return }
        answer.write(into: &service.replyBuffer, date: date)
        let transport = link.transport
        // Without memory for it the deadline closes the connection.
        _ = service.replyBuffer.withUnsafeBytes { transport.write($0) }
        bufferevent_enable(transport.stream, ps_ev_write())
    }

    func dropInput() { evbuffer_drain(input, evbuffer_get_length(input)) }

    private func didWriteRefusal() {
        // What was written may have been evhttp's `100 Continue` alone.
        guard case .gone? = pending?.source ?? .gone, !isRefusalWritten else { return }
        isRefusalWritten = true
        if isInputEnded || !link.transport.shutDownWriting() { return close() }
        lingerBriefly()
    }

    /// A peer that does not end its side does not hold up a server that drains.
    func lingerBriefly() {
        if isRefusalWritten && isDraining { service?.limitLingering(of: self) }
    }

    private func didHappen(_ what: Int32) {
        // The peer has sent all; it may still read.
        let isEnd = what & BEV_EVENT_EOF != 0 && what & BEV_EVENT_READING != 0
        isInputEnded = isEnd
        if !isEnd || isRefusalWritten { close() }
    }
}

private func drainInput(of stream: OpaquePointer?) {
    let input = bufferevent_get_input(stream)
    evbuffer_drain(input, evbuffer_get_length(input))
}
