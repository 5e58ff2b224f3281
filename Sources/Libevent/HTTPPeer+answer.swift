internal import CLibevent
internal import Glibc

// The short way of an answer, which nearly every one takes: one `send`, then evhttp is told that the request is done. evhttp's
// own way puts the answer together with printf and copies of each header, then waits for the socket to become writable: another
// pass of the loop, and three calls of epoll_ctl. (Measured: 3.0 calls of epoll_ctl a request and 16,500 instructions for the
// answer; this way 0 and 2,500, beside what evhttp does to take the next request.)
//
// Whatever is out of the ordinary goes evhttp's way: another version than HTTP/1.1, chunked bodies, `Connection: close`, `100
// Continue` not yet written, a request sent ahead, an answer from within evhttp's callback, a socket whose buffer is full.

extension HTTPPeer {
    /// Leaves reading on while a handler has the request (`holdReading`). evhttp's own callback must not see what comes now (it
    /// would end the process), so until the answer it is this one.
    ///
    /// Neither callback uses its context: evhttp may have scheduled a call of the read callback with a context of its own.
    func readWhileWaiting() {
        guard service != nil else { return }
        bufferevent_setcb(
            stream,
            { stream, _ in
                // A request sent ahead waits for its turn, and what is behind it in the system's buffer. The answer turns reading
                // on again.
                if evbuffer_get_length(bufferevent_get_input(stream)) >= HTTPPeer.readAhead {
                    bufferevent_disable(stream, ps_ev_read())
                }
            }, callbacks.write,
            // The end of the stream, or an error, turns reading off; after the answer evhttp reads, and meets it, again.
            nil, UnsafeMutableRawPointer(connection))
        bufferevent_enable(stream, ps_ev_read())
    }

    /// Writes an ordinary answer; false: nothing has been done.
    func answerDirectly(_ answer: HTTPAnswer, to request: OpaquePointer) -> Bool {
        guard let service, !service.isDispatching, !service.isDraining, !answer.closing, answer.isBodySent, scan.isPlain,
            state == .waiting, evbuffer_get_length(input) == 0, evbuffer_get_length(output) == 0,
            let status = Self.statusLine(answer.status)
        else { return false }
        let count = write(answer, status, into: &service.replyBuffer)
        let sent = ps_send(bufferevent_getfd(stream), service.replyBuffer, count)
        guard sent > 0 else { return false }
        if sent == count {
            state = .idle
            pending = nil
            holdReading(true)
            watchInput(true)
        } else {
            let rest = service.replyBuffer[sent..<count]
            finishWriting(rest, to: request)
        }
        // Without output left evhttp takes the next request at once, else when it is written.
        evhttp_send_reply_end(request)
        return true
    }

    /// Leaves the rest to evhttp, in the state in which it would be had it written the answer itself.
    private func finishWriting(_ rest: ArraySlice<UInt8>, to request: OpaquePointer) {
        willAnswer(request, closing: false)
        rest.withUnsafeBytes { bytes in
            let result = bufferevent_write(stream, bytes.baseAddress, bytes.count)
            precondition(result == 0, "bufferevent_write: no memory")
        }
        bufferevent_setcb(stream, nil, callbacks.write, callbacks.event, UnsafeMutableRawPointer(connection))
        bufferevent_enable(stream, ps_ev_read() | ps_ev_write())
    }

    /// Only answers of success come in numbers.
    private static func statusLine(_ status: Int) -> StaticString? {
        switch status {
        case 200: "HTTP/1.1 200 OK\r\n"
        case 201: "HTTP/1.1 201 Created\r\n"
        case 202: "HTTP/1.1 202 Accepted\r\n"
        default: nil
        }
    }

    /// Puts the answer together. Returns its length.
    private func write(_ answer: HTTPAnswer, _ status: StaticString, into buffer: inout [UInt8]) -> Int {
        // One large list must not be paid for ever after.
        buffer.removeAll(keepingCapacity: buffer.capacity <= 64 * 1024)
        status.withUTF8Buffer { buffer.append(contentsOf: $0) }
        for (name, value) in answer.headers {
            Self.append(name, to: &buffer)
            Self.append(": ", to: &buffer)
            Self.append(value, to: &buffer)
            Self.appendLineBreak(to: &buffer)
        }
        Self.append("Content-Length: ", to: &buffer)
        Self.append(String(answer.body.count), to: &buffer)
        Self.append("\r\nDate: ", to: &buffer, checked: false)
        Self.append(date, to: &buffer)
        Self.appendLineBreak(to: &buffer)
        Self.appendLineBreak(to: &buffer)
        buffer.append(contentsOf: answer.body)
        return buffer.count
    }

    private static func appendLineBreak(to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\r"))
        buffer.append(UInt8(ascii: "\n"))
    }

    private static func append(_ text: String, to buffer: inout [UInt8], checked: Bool = true) {
        var text = text
        text.withUTF8 { bytes in
            if checked, let start = bytes.baseAddress {
                precondition(
                    memchr(start, 10, bytes.count) == nil && memchr(start, 13, bytes.count) == nil, "a header with a line break")
            }
            buffer.append(contentsOf: bytes)
        }
    }
}
