internal import Libevent
internal import Logging
internal import MQTT
internal import Push

// From CONNECT to the session, and to its end.

extension Shard {
    /// How long a peer may take to read its last packet and to close.
    private static let farewellTime = Duration.seconds(2)

    /// Asks the store about a CONNECT. The connection is not read meanwhile.
    func attach(_ device: DeviceConnection, _ admission: Admission) {
        device.token = admission.token
        device.connection.setReading(false)
        wheel?.remove(device.slot)
        let id = SessionID(raw: random.next())
        attaching[id] = device
        outstanding += 1
        Task.immediate(executorPreference: loop) {
            let answer: Result<Attached, AttachError>
            do throws(AttachError) {
                answer = .success(try await store.attach(admission.token, secret: admission.secret, session: id))
            } catch {
                answer = .failure(error)
            }
            outstanding -= 1
            attaching[id] = nil
            switch answer {
            case .success(let attached): open(device, admission, attached, id)
            case .failure(let error):
                if !device.hasEnded { carryOut(device.conversation.refuse(ConnectRefusal(error)), device) }
            }
            resumeIfQuiet()
        }
    }

    private func open(_ device: DeviceConnection, _ admission: Admission, _ attached: Attached, _ id: SessionID) {
        let dispatcher = dispatcher(of: attached.device.lane)
        guard let dispatcher, !device.hasEnded, device.closeRequest == nil, !isStopping else {
            store.detach(attached.device, session: id, settledUpTo: attached.settledUpTo)
            guard !device.hasEnded else { return }
            carryOut(device.conversation.refuse(refusal(of: device)), device)
            return
        }
        let effect = device.conversation.accept(admission, configuration)
        guard case .send(let connack) = effect else {
            store.detach(attached.device, session: id, settledUpTo: attached.settledUpTo)
            carryOut(effect, device)
            return
        }
        if let old = dispatcher.sessions[attached.device], let former = connections[old.connection] {
            // The store has it closed before it lets another in; should it not, two sessions of one device must still not meet here.
            end(former, .closed(.takenOver, old.version), draining: true)
        }
        dispatcher.now = loop.wallClockMilliseconds
        let window = Window(
            limit: min(admission.receiveMaximum, configuration.window), firstPacketID: .random(in: 1 ... .max, using: &random))
        let session = Session(
            attached: attached, id: id, connection: device.slot, version: admission.version,
            maximumPacketSize: admission.maximumPacketSize, window: window, began: max(dispatcher.head, attached.feedFrom))
        device.session = session
        device.dispatcher = dispatcher
        own.accepted += 1
        device.prologue = encoded(connack, admission.version)
        dispatcher.join(session)
        watch(device, admission.keepAlive)
        logger.debug("device connected", metadata: ["device": "\(admission.token)", "peer": "\(device.connection.peer)"])
        settleDown(device)
        greet(device, session)
    }

    /// Why a device that the store accepted is refused all the same.
    private func refusal(of device: DeviceConnection) -> ConnectRefusal {
        switch device.closeRequest {
        case .withdrawn: ConnectRefusal(.notAuthorized)
        case .takenOver, nil: ConnectRefusal(.serverUnavailable)
        }
    }

    /// Begins to listen for silence: by the keep-alive, or by the system's probes where the client wants none.
    private func watch(_ device: DeviceConnection, _ keepAlive: UInt16) {
        guard keepAlive == 0 else {
            let patience = Duration.milliseconds(Int(keepAlive) * 1500)
            device.patience = patience
            wheel?.set(device.slot, after: patience)
            return
        }
        do {
            try device.connection.enableTCPKeepAlive()
        } catch {
            logger.warning("TCP keep-alive cannot be set", metadata: metadata(of: device, "\(error)"))
        }
    }

    /// Ends a connection, and its session: what was acknowledged is settled, then the store is told.
    /// - Parameter draining: whether what the socket holds is read first.
    func end(_ device: DeviceConnection, _ ending: Ending, draining: Bool) {
        guard device.session != nil || !device.hasEnded || !device.connection.isClosed else { return }
        wheel?.remove(device.slot)
        if let session = device.session, let dispatcher = device.dispatcher {
            dispatcher.freeze(session)
            if draining { drain(device) }
            let settledUpTo = dispatcher.settledUpTo(of: session)
            handOver()
            store.detach(session.device, session: session.id, settledUpTo: settledUpTo)
            dispatcher.leave(session)
            device.session = nil
            device.dispatcher = nil
        }
        device.conversation.end()
        sendPrologue(device)
        tell(device, ending)
        if ending.farewell.isEmpty {
            device.connection.close()
        } else {
            device.connection.send(ending.farewell)
            device.connection.closeAfterFlush(timeout: Self.farewellTime)
        }
    }

    private func tell(_ device: DeviceConnection, _ ending: Ending) {
        if ending.isFault { own.protocolErrors += 1 }
        if ending.isRefusal { own.refused += 1 }
        logger.log(
            level: ending.isFault || ending.isRefusal ? .info : .debug, "connection ends",
            metadata: metadata(of: device, ending.cause))
    }
}
