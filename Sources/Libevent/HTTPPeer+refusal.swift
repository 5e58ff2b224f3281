internal import CLibevent
internal import Glibc

// Refusing a request before evhttp has all of it. evhttp would first read the body, by whichever length it believes, or answer
// with a page of its own. So nothing more of it reaches evhttp: what has come, and what still comes, is dropped before evhttp
// looks, so that the peer can finish and read the answer. The stream's callbacks become ours, and the answer is written past
// evhttp. Its connection is closed at the end like any other.

extension HTTPPeer {
    func refuse(_ head: HTTPRequestHead) {
        state = .refused
        dropInput()
        // Not from inside evhttp's callbacks, one of which may be at work.
        service?.loop.afterCallback { [weak self] in self?.askForRefusal(of: head) }
    }

    private func askForRefusal(of head: HTTPRequestHead) {
        guard let service else { return }
        holdReading(false)
        service.setDeadline(of: self)
        bufferevent_setcb(
            stream, { stream, _ in drainInput(of: stream) },
            { _, context in HTTPPeer.from(context)?.didWriteRefusal() },
            { _, what, context in HTTPPeer.from(context)?.didHappen(Int32(what)) }, Unmanaged.passUnretained(self).toOpaque())
        let pending = PendingRequest(.refused(head), of: self)
        self.pending = pending
        service.handle(pending, of: self)
    }

    /// Writes the answer to a refused request.
    func answerRefused(_ answer: HTTPAnswer) {
        guard state == .refused else { return }
        var text = "HTTP/1.1 \(answer.status) \r\nDate: \(date)\r\nConnection: close\r\nContent-Length: \(answer.body.count)\r\n"
        for (name, value) in answer.headers {
            precondition(
                !name.utf8.contains(where: isLineBreak) && !value.utf8.contains(where: isLineBreak), "a header with a line break")
            text += "\(name): \(value)\r\n"
        }
        let bytes = Array("\(text)\r\n".utf8) + (answer.isBodySent ? answer.body : [])
        bufferevent_write(stream, bytes, bytes.count)
        bufferevent_enable(stream, ps_ev_write())
    }

    func dropInput() { drainInput(of: stream) }

    private func didWriteRefusal() {
        // What was written may have been evhttp's `100 Continue` alone.
        guard case .gone? = pending?.source ?? .gone, !isRefusalWritten else { return }
        isRefusalWritten = true
        if isInputEnded || ps_shutdown_write(bufferevent_getfd(stream)) != 0 { close() }
    }

    private func didHappen(_ what: Int32) {
        // The peer has sent all; it may still read.
        let isEnd = what & BEV_EVENT_EOF != 0 && what & BEV_EVENT_READING != 0
        isInputEnded = isEnd
        if !isEnd || isRefusalWritten { close() }
    }
}

private func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0d || byte == 0x0a }

private func drainInput(of stream: OpaquePointer?) {
    let input = bufferevent_get_input(stream)
    evbuffer_drain(input, evbuffer_get_length(input))
}
