// How a connection ends.

extension HTTPConnection {
    /// Closes the connection. Not from inside one of evhttp's callbacks for it.
    func close() {
        if service != nil { link.close() }
    }

    /// The server drains: who has nothing to send is not waited for.
    func serverDrains() {
        streamedReply?.tell(.serverDrains)
        lingerBriefly()
        // Its first request may follow at once.
        if state == .idle, !link.transport.isEstablished { service?.limitHandshakeWhileDraining(of: self) }
    }

    /// Again: no effect.
    func willClose() {
        guard link.connection != nil else { return }
        stopWatchingInput()
        pending?.connectionWillClose()
        pending = nil
        streamedReply?.connectionWillClose()
        streamedReply = nil
        endSecurity()
        link.didClose()
        let service = service
        self.service = nil
        service?.didClose(self)
    }

    private func endSecurity() {
        let transport = link.transport
        guard transport.isEncrypted else { return }
        guard let failure = transport.takeFailure() else { return transport.sayGoodbye() }
        if failure.isPlainHTTP { transport.refusePlainHTTP() }
        service?.onInsecure?(failure, address)
    }
}
