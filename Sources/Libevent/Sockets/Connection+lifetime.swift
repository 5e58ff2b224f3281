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
        guard stream != nil, !isClosed else { return }
        guard state == .open else { return end(.closed) }
        state = .flushing
        do throws(LibeventError) {
            // Unowned: the timer goes with the connection's end.
            deadline = try Timer(on: loop, after: timeout) { [unowned self] in end(.closed) }
        } catch {
            return end(.closed)
        }
        stream?.watchInput()
        if outputCount == 0 { linger() }
    }

    private func linger() {
        state = .lingering
        if stream?.shutDownWriting() != true { end(.closed) }
    }

    /// The only way out: takes the connection from libevent and tells the handler, once, when the running callback has returned.
    func end(_ reason: CloseReason) {
        guard state != .closed else { return }
        state = .closed
        (deadline, entry) = (nil, nil)
        stream?.close()
        stream = nil
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

    /// Looks at the turn's end at input that the handler has left unread, and at what waits in OpenSSL, of which no event tells.
    func recall() {
        guard !recalling, stream?.input.isEmpty == false || stream?.session?.hasUnreadRecords == true else { return }
        recalling = true
        loop.afterCallback { [self] in
            recalling = false
            if reading, !isClosed, stream?.input.isEmpty == false { toHandler { $0.connectionDidRead($1) } }
            if reading, !isClosed, stream?.session?.hasUnreadRecords == true { read() }
        }
    }

    // MARK: From libevent

    /// Something that was watched can be done.
    func didBecomeReady(_ what: Int16) {
        guard stream != nil else { return }
        if state == .connecting { return stream?.session == nil ? didConnect() : shakeHands() }
        guard what & ps_ev_write() != 0 else { return read() }
        write()
        if stream?.takeReadThatAwaitsRoom() == true {
            if outputCount == 0 { stream?.ignoreRoom() }
            read()
        }
    }

    private func didConnect() {
        guard let stream else { return }
        let code = ps_socket_error(stream.descriptor)
        guard code == 0 else { return end(.failed(code)) }
        didOpen()
    }

    private func shakeHands() {
        switch stream?.shakeHands() {
        case .moved: didOpen()
        case .awaitsInput:
            stream?.ignoreRoom()
            stream?.watchInput()
        case .awaitsRoom:
            stream?.ignoreInput()
            stream?.watchRoom()
        case .ended(let reason): end(reason)
        case nil: break
        }
    }

    private func didOpen() {
        state = .open
        toHandler { $0.connectionDidOpen($1) }
        if outputCount > 0 {
            stream?.watchRoom()
            write()
        } else {
            stream?.ignoreRoom()
        }
        watchInput()
        // What has come with the end of the handshake.
        if reading, !isClosed, stream?.session?.hasUnreadRecords == true { read() }
    }

    private func read() {
        guard state != .open || reading && stream?.isInputFull == false else {
            stream?.ignoreInput()
            return
        }
        let buffer = loop.turn.readBuffer
        switch stream?.read(into: buffer) {
        case .moved(let count):
            // What comes behind the end is dropped.
            guard state == .open else { return }
            appendInput(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            toHandler { $0.connectionDidRead($1) }
            recallRecords()
        case .ended(let reason): end(isClosed ? .closed : reason)
        case .awaitsInput, .awaitsRoom, nil: break
        }
    }

    /// No event tells of what waits in OpenSSL.
    func recallRecords() {
        if reading, !isClosed, stream?.session?.hasUnreadRecords == true { recall() }
    }

    private func write() {
        guard outputCount > 0 else { return }
        if let reason = stream?.writeWaiting() { return end(isClosed ? .closed : reason) }
        guard outputCount == 0 else { return }
        switch state {
        case .flushing: linger()
        case .open: toHandler { $0.connectionDidDrain($1) }
        case .unidentified, .connecting, .lingering, .closed: break
        }
    }

    func toHandler(_ tell: (any ConnectionHandler, sending Connection) -> Void) {
        guard let handler else { return end(.closed) }
        // Safe: a connection belongs to its loop, where we are. Whoever takes it is isolated to this loop, or keeps it in a
        // closure that is: it is the same isolation domain each time.
        nonisolated(unsafe) let connection = self
        tell(handler, connection)
    }
}

/// Called by libevent with the connection, which is retained until its end.
func readyThunk(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
    connection.loop.callback { connection.didBecomeReady(what) }
}
