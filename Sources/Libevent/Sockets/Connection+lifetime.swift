internal import CLibevent
internal import Glibc

// How a connection ends, and what libevent calls.

extension Connection {
    /// Ends the connection now; output that was not written is dropped. The handler is told in this turn, after the caller has
    /// returned. Again: no effect.
    public func close() { end(.closed) }

    /// Lets the output be written and the peer read it, then ends: our side is shut, and what the peer still sends is dropped,
    /// until it closes as well. (Closing with input unread would reset the connection and might destroy the output on its way.)
    /// After `timeout` it ends in any case.
    public func closeAfterFlush(timeout: Duration) {
        if state == .unidentified { return end(.closed) }
        guard let transport, !isClosed else { return }
        guard state == .open else { return end(.closed) }
        state = .flushing
        do throws(LibeventError) {
            // Unowned: the timer goes with the connection's end.
            deadline = try Timer(on: loop, after: timeout) { [unowned self] in end(.closed) }
        } catch {
            return end(.closed)
        }
        dropInput()
        bufferevent_setwatermark(transport.stream, ps_ev_read(), 0, 0)
        bufferevent_enable(transport.stream, ps_ev_read())
        if outputCount == 0 { linger() }
    }

    private func linger() {
        state = .lingering
        if transport?.shutDownWriting() != true { end(.closed) }
    }

    private func dropInput() {
        if !viewing { transport?.dropInput() }
    }

    /// The only way out: takes the connection from libevent and tells the handler, once, when the running callback has returned.
    func end(_ reason: CloseReason) {
        guard state != .closed else { return }
        state = .closed
        (deadline, entry) = (nil, nil)
        if let stream = transport?.stream {
            transport?.sayGoodbye()
            bufferevent_disable(stream, ps_ev_read() | ps_ev_write())
            bufferevent_setcb(stream, nil, nil, nil, nil)
        }
        if !viewing { freeTransport() }
        loop.afterCallback { [self] in
            // Safe: the connection belongs to this loop; see `toHandler`.
            nonisolated(unsafe) let connection = self
            handler?.connectionDidClose(connection, reason: reason)
            handler = nil
            tag = nil
        }
        // Balances passRetained: libevent will not call any more.
        Unmanaged.passUnretained(self).release()
    }

    func freeTransport() {
        guard let transport else { return }
        self.transport = nil
        transport.free()
    }

    /// Tells the handler at the turn's end of input that it has left unread.
    func recall() {
        guard !recalling else { return }
        recalling = true
        loop.afterCallback { [self] in
            recalling = false
            if reading, let transport, evbuffer_get_length(transport.input) > 0 { didRead() }
            if reading, !isClosed, let lateEnd { end(lateEnd) }
        }
    }

    // MARK: From libevent

    func didRead() {
        if isClosed { return dropInput() }
        guard reading else { return suspendReading() }
        toHandler { $0.connectionDidRead($1) }
    }

    func didWrite() {
        switch state {
        case .flushing: linger()
        case .open: toHandler { $0.connectionDidDrain($1) }
        case .unidentified, .connecting, .lingering, .closed: break
        }
    }

    func didHappen(_ what: Int16, errorNumber: Int32) {
        let what = Int32(what)
        if what & BEV_EVENT_CONNECTED != 0 {
            state = .open
            toHandler { $0.connectionDidOpen($1) }
        } else if isClosed {
            end(.closed)
        } else if what & (BEV_EVENT_EOF | BEV_EVENT_ERROR) != 0 {
            let reason = what & BEV_EVENT_EOF != 0 ? CloseReason.endOfStream : failure(errorNumber)
            guard reading || what & BEV_EVENT_READING == 0 else {
                lateEnd = reason
                return suspendReading()
            }
            end(reason)
        }
    }

    private func failure(_ errorNumber: Int32) -> CloseReason {
        if let transport, transport.isEncrypted, let failure = transport.takeFailure() { return .insecure(failure) }
        return .failed(errorNumber)
    }

    func toHandler(_ tell: (any ConnectionHandler, sending Connection) -> Void) {
        guard let handler else { return end(.closed) }
        // Safe: a connection belongs to its loop, where we are. Whoever takes it is isolated to this loop, or keeps it in a
        // closure that is: it is the same isolation domain each time.
        nonisolated(unsafe) let connection = self
        tell(handler, connection)
    }
}

// The thunks: a C callback enters with the connection that `passRetained` put into its context.

private func enter(_ context: UnsafeMutableRawPointer?, _ body: (Connection) -> Void) {
    guard let context else { return }
    let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
    connection.loop.callback { body(connection) }
}

func readThunk(_ stream: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    enter(context) { $0.didRead() }
}

func writeThunk(_ stream: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    enter(context) { $0.didWrite() }
}

func eventThunk(_ stream: OpaquePointer?, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    let errorNumber = errno
    enter(context) { $0.didHappen(what, errorNumber: errorNumber) }
}
