internal import Libevent
internal import Logging
internal import MQTT
internal import Push

// From CONNECT to the session, and to its end.

extension Shard {
    // MARK: CONNECT

    /// Asks the store about a CONNECT. The connection is not read meanwhile.
    func attach(_ connection: DeviceConnection, _ admission: Admission) {
        connection.state = .attaching(closed: nil)
        connection.token = admission.token
        if tracer.isOn {
            trace(
                connection, "connect",
                [("version", admission.version == .v5 ? "5.0" : "3.1.1"), ("keep_alive", "\(admission.keepAlive)")])
        }
        connection.socket.setReading(false)
        wheel?.remove(connection.slot)
        let id = SessionID(raw: random.next())
        attaching[id] = connection
        outstandingCalls += 1
        Task.immediate(executorPreference: loop) {
            let answer: Result<Attached, AttachError>
            do throws(AttachError) {
                answer = .success(
                    try await store.attach(
                        admission.token, secret: admission.secret, certificate: admission.certificate, session: id))
            } catch {
                answer = .failure(error)
            }
            if case .success(let attached) = answer { await slowDown(connection, attached.device, admission.token) }
            outstandingCalls -= 1
            enter {
                attaching[id] = nil
                switch answer {
                case .success(let attached): admit(connection, admission, attached, id)
                case .failure(let error):
                    noteFailure(of: connection, admission, error)
                    close(connection, admission.refuse(ConnectRefusal(error)))
                }
            }
        }
    }

    /// The store has attached the device. The connection may have closed meanwhile, or must not be opened any more.
    private func admit(_ connection: DeviceConnection, _ admission: Admission, _ attached: Attached, _ id: SessionID) {
        do throws(Ending) {
            guard case .attaching(let closed) = connection.state else { throw .byPeer }
            if let closed { throw admission.refuse(ConnectRefusal(closed)) }
            guard !isStopping else { throw admission.refuse(ConnectRefusal(.serverUnavailable, .ending, "the server ends")) }
            guard let dispatcher = dispatcher(of: attached.device.lane) else {
                throw admission.refuse(
                    ConnectRefusal(.serverUnavailable, .unavailable, "the store has not told its directory yet"))
            }
            let connack = try admission.accept(configuration)
            open(connection, admission, attached, id, dispatcher, encoded(connack, admission.version))
        } catch {
            store.detach(attached.device, session: id, settledUpTo: attached.settledUpTo)
            close(connection, error)
        }
    }

    /// Messages without PUBACK that a session may have when they are over and hold its window no more: a bound for what a device
    /// costs that acknowledges nothing.
    private static let mostInFlight = 1_024

    private func open(
        _ connection: DeviceConnection, _ admission: Admission, _ attached: Attached, _ id: SessionID, _ dispatcher: Dispatcher,
        _ connack: [UInt8]
    ) {
        if let former = dispatcher.sessions[attached.device], let connection = connections[Int(former.connectionSlot)] {
            // The store has it closed before it lets another in. Should it not, two sessions of one device must not meet here.
            close(connection, .closed(.takenOver, former.version), draining: true)
        }
        let window = Window(
            limit: configuration.window,
            receiveMaximum: min(admission.receiveMaximum, max(configuration.window, Self.mostInFlight)),
            firstPacketID: .random(in: 1 ... .max, using: &random),
            settledBeyond: attached.settledBeyond.filter { $0 > attached.settledUpTo })
        let session = Session(
            attached: attached, id: id, connection: connection.slot,
            conversation: Conversation(
                version: admission.version, receiveMaximum: configuration.receiveMaximum,
                maximumPacketSize: admission.maximumPacketSize, endsWithConnection: !admission.wantsLongerSession),
            window: window, began: max(dispatcher.head, attached.feedFrom), connack: connack)
        connection.state = .open(session, dispatcher)
        connection.receiptMinute = receiptMinute
        connection.receiptCount = configuration.receipts.sent(by: session.device, in: connection.receiptMinute)
        connectionCounters.accepted += 1
        if tracer.isOn {
            session.isTraced = isTraced(connection)
            trace(connection, "connected", [("acknowledged_beyond_cursor", "\(attached.settledBeyond.count)")])
        }
        dispatcher.join(session)
        holdConnack(of: connection)
        listenForSilence(of: connection, admission.keepAlive)
        logger.debug("device connected", metadata: metadata(of: connection))
        connection.socket.setReading(true)
    }

    /// Silence is noticed by the keep-alive, or by the system's probes where the client wants none.
    private func listenForSilence(of connection: DeviceConnection, _ keepAlive: UInt16) {
        connection.keepAlive = keepAlive
        if let silence = connection.longestSilence {
            wheel?.set(connection.slot, afterNanoseconds: silence)
            return
        }
        do {
            try connection.socket.enableTCPKeepAlive()
        } catch {
            log(.warning, "TCP keep-alive cannot be set", cause: "", metadata(of: connection, "\(error)"))
        }
    }

    // MARK: CONNACK

    /// How long a CONNACK waits at most for the first page of the log.
    private static let longestConnackDelay = Duration.milliseconds(50)

    /// Has the CONNACK wait for the first page, to go out with it in one write: half of what connecting costs the kernel, when
    /// everybody comes at once.
    private func holdConnack(of connection: DeviceConnection) {
        if heldConnacks.isEmpty { connackTimer?.restart(after: Self.longestConnackDelay) }
        heldConnacks.append(connection)
    }

    /// Pages take long: no CONNACK waits any more.
    func connacksAreDue() { enter { sendHeldConnacks() } }

    private func sendHeldConnacks() {
        let held = heldConnacks
        heldConnacks = []
        for connection in held {
            if case .open(let session, let dispatcher) = connection.state { dispatcher.releaseConnack(of: session) }
        }
    }

    /// The CONNACK's bytes. The devices of a fleet nearly all get the same one.
    private func encoded(_ connack: Packet, _ version: ProtocolVersion) -> [UInt8] {
        if let last = lastConnack, last.version == version, last.packet == connack { return last.bytes }
        var bytes: [UInt8] = []
        connack.encode(version: version, into: &bytes)
        lastConnack = (connack, version, bytes)
        return bytes
    }

    // MARK: The end

    /// How long a peer may take to read its last packet and to close.
    private static let lingerTime = Duration.seconds(2)

    /// Closes a connection, and ends its session. One that is closing already is left alone.
    /// - Parameter draining: whether what the socket holds is read first.
    func close(_ connection: DeviceConnection, _ ending: Ending, draining: Bool = false) {
        let state = connection.state
        if case .closing = state { return }
        connection.state = .closing
        wheel?.remove(connection.slot)
        var mayFollow = true
        if case .open(let session, let dispatcher) = state {
            mayFollow = detach(connection, session, dispatcher, draining: draining)
        }
        logEnd(of: connection, ending)
        if ending.lastPacket.isEmpty || !mayFollow {
            connection.socket.close()
        } else {
            connection.socket.send(ending.lastPacket)
            connection.socket.closeAfterFlush(timeout: Self.lingerTime)
        }
    }

    /// What was acknowledged is settled, then the store is told that the session has ended.
    /// - Returns: whether anything may still be sent.
    private func detach(
        _ connection: DeviceConnection, _ session: Session, _ dispatcher: Dispatcher, draining: Bool
    ) -> Bool {
        dispatcher.freeze(session)
        if draining { drain(connection, session, dispatcher) }
        endReceipts(of: connection, session)
        let settledUpTo = dispatcher.settledUpTo(of: session)
        handOver()
        store.detach(session.device, session: session.id, settledUpTo: settledUpTo)
        // Whatever follows, CONNACK is the first packet [MQTT-3.2.0-2], and packets read before the end have their answers.
        let mayFollow = !hasLapsed(sinceWritingTo: dispatcher)
        if mayFollow { connection.socket.send(session.output) }
        dispatcher.leave(session)
        return mayFollow
    }
}
