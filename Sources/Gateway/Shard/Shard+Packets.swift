internal import Libevent
internal import MQTT
internal import Push

// From bytes to what they lead to.

extension Shard {
    /// Takes the packets that have come.
    func receive(_ connection: DeviceConnection) {
        guard receivePackets(of: connection), case .open(let session, let dispatcher) = connection.state else { return }
        restartSilence(of: connection)
        // Acknowledgements have made room in the window.
        dispatcher.advance(session)
        connection.socket.setReading(connection.takesPackets)
    }

    /// The peer shows that it is there.
    func restartSilence(of connection: DeviceConnection) {
        if let silence = connection.longestSilence { wheel?.set(connection.slot, afterNanoseconds: silence) }
    }

    /// - Returns: whether there was a packet.
    private func receivePackets(of connection: DeviceConnection) -> Bool {
        var hasReceived = false
        let fault = connection.socket.withInput { bytes, consumed -> MQTTError? in
            defer { hasReceived = consumed > 0 }
            do throws(MQTTError) {
                while connection.takesPackets {
                    switch connection.state {
                    case .open(let session, let dispatcher):
                        let action = try nextAction(connection, session, dispatcher, bytes, &consumed)
                        guard let action else { return nil }
                        carryOut(action, connection, session, dispatcher)
                    case .awaitingConnect:
                        guard let packet = try connection.decoder.decode(bytes, consumed: &consumed) else { return nil }
                        receiveFirst(packet, from: connection)
                    case .attaching, .closing: return nil
                    }
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault {
            let isAccepted = if case .open = connection.state { true } else { false }
            close(connection, .violation(fault, isAccepted: isAccepted))
        }
        return hasReceived
    }

    private func receiveFirst(_ packet: Packet, from connection: DeviceConnection) {
        do throws(Ending) {
            let certificate = connection.socket.peerCertificate
            let admission = try Admission(
                packet, certificate: certificate?.description.flatMap { CertificateFingerprint($0.sha256) })
            try checkRoom(for: connection, admission)
            try checkFailures(of: connection, admission)
            try admission.check(certificate, now: loop.wallClockMilliseconds / 1_000)
            // A server that stood still for a while finds CONNECTs of clients that have given up, and are elsewhere by now.
            guard !connection.socket.isEndedByPeer else { throw .byPeer }
            attach(connection, admission)
        } catch {
            close(connection, error)
        }
    }

    /// Takes a packet from the input of an open connection, and the PUBACKs before it. This is the only place where PUBACKs are
    /// taken: they are nearly all that devices send, so none becomes a ``Packet``.
    ///
    /// - Returns: what the packet leads to; `nil` when the rest has not all arrived.
    private func nextAction(
        _ connection: DeviceConnection, _ session: Session, _ dispatcher: Dispatcher, _ bytes: UnsafeRawBufferPointer,
        _ consumed: inout Int
    ) throws(MQTTError) -> Conversation.Action? {
        while let puback = try connection.decoder.decodePuback(bytes, consumed: &consumed) {
            if takesAcknowledgements || asksAgain() { dispatcher.acknowledge(puback, of: session) }
        }
        guard consumed < bytes.count, let packet = try connection.decoder.decode(bytes, consumed: &consumed) else { return nil }
        return session.conversation.receive(packet)
    }

    /// The store took no more acknowledgements when it was last asked. One that it does not take is as if it had not come: its
    /// message comes again when it has been unacknowledged for too long.
    private func asksAgain() -> Bool {
        takesAcknowledgements = store.settle([])
        if !takesAcknowledgements { connectionCounters.untaken += 1 }
        return takesAcknowledgements
    }

    private func carryOut(
        _ action: Conversation.Action, _ connection: DeviceConnection, _ session: Session, _ dispatcher: Dispatcher
    ) {
        switch action {
        case .none: break
        case .send(let packet): dispatcher.write(packet, to: session)
        case .commit(let receipt, let ticket): enqueue(receipt, ticket, connection, session)
        case .discard(let answer, let cause):
            logDiscarded(by: connection, cause)
            if let answer { dispatcher.write(answer, to: session) }
        case .close(let ending): close(connection, ending)
        }
    }

    /// Takes what the socket still holds, for a session that ends: an acknowledgement or a receipt that has been sent must count.
    func drain(_ connection: DeviceConnection, _ session: Session, _ dispatcher: Dispatcher) {
        // Bounded: a peer that keeps sending must not keep the loop.
        for _ in 0..<16 {
            let count = connection.socket.pull(atMost: configuration.maximumPacketSize)
            let isOver = connection.socket.withInput { bytes, consumed -> Bool in
                do throws(MQTTError) {
                    while let action = try nextAction(connection, session, dispatcher, bytes, &consumed) {
                        if case .close = action { return true }
                        carryOut(action, connection, session, dispatcher)
                    }
                    return false
                } catch {
                    return true
                }
            }
            if count == 0 || isOver { return }
        }
    }
}
