internal import CLibevent
internal import Glibc

// Refusing a request before evhttp has all of it. evhttp would first read the body, by whichever length it believes, or answer with a page of its own.
// So the stream's callbacks become ours: the refusal is written past evhttp, and what the peer still sends is dropped, so that it can finish and
// read the answer. evhttp's connection is closed at the end like any other.
//
// All this is done when the callback is over in which the bytes came. If evhttp has given up on them itself, its page is in the output by then, but not
// written: that takes another pass of the loop.

extension HTTPPeer {
    func refuse(_ head: HTTPHead) {
        guard let service else { return }
        dropOutput()
        state = .refused
        holdReading(false)
        service.setDeadline(of: self)
        bufferevent_setcb(
            stream, { _, context in HTTPPeer.from(context)?.dropInput() },
            { _, context in HTTPPeer.from(context)?.didWriteRefusal() },
            { _, what, context in HTTPPeer.from(context)?.didHappen(Int32(what)) }, Unmanaged.passUnretained(self).toOpaque())
        dropInput()
        let pending = PendingRequest(.refused(head), of: self)
        self.pending = pending
        service.handle(pending, of: self)
    }

    /// Takes evhttp's page out of the output. Its `100 Continue` may stay: a final answer may follow it (RFC 9110 §15.2).
    private func dropOutput() {
        let output = bufferevent_get_output(stream)
        var start = [UInt8](repeating: 0, count: 12)
        let count = evbuffer_copyout(output, &start, start.count)
        if count == start.count && start[9...].elementsEqual("100".utf8) { return }
        // A bufferevent's output is frozen at its front, so that only it writes.
        evbuffer_unfreeze(output, 1)
        evbuffer_drain(output, evbuffer_get_length(output))
        evbuffer_freeze(output, 1)
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

    private func dropInput() { evbuffer_drain(input, evbuffer_get_length(input)) }

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
