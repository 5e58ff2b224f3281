public import Libevent
internal import Logging
internal import MQTT
internal import Push

// From the socket: accepting, reading, silence.

extension Shard: ConnectionHandler {
    /// There is unread input.
    public nonisolated func connectionDidRead(_ connection: sending Connection) {
        assumeIsolated { shard in
            guard let device = connection.tag as? DeviceConnection else { return }
            shard.receive(device)
        }
    }

    /// What the peer did not take at once has been written.
    public nonisolated func connectionDidDrain(_ connection: sending Connection) {
        assumeIsolated { shard in
            guard let device = connection.tag as? DeviceConnection, device.awaitsDrain else { return }
            device.awaitsDrain = false
            device.connection.setReading(device.takesPackets)
        }
    }

    /// The connection has ended.
    public nonisolated func connectionDidClose(_ connection: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated { shard in
            guard let device = connection.tag as? DeviceConnection else { return }
            shard.end(device, .byPeer, draining: false)
            shard.connections.remove(device)
            shard.resumeIfQuiet()
        }
    }
}

extension Shard {
    /// Output that a peer does not take; then nothing is read from it. Far more than a window of messages.
    private static let outputLimit = 256 * 1024

    func accept(_ connection: Connection) {
        let device = DeviceConnection(connection, slot: connections.nextSlot, configuration: configuration)
        connections.insert(device)
        connection.handler = self
        connection.tag = device
        wheel?.set(device.slot, after: configuration.connectTimeout)
        if isStopping { end(device, Ending(cause: "the server shuts down"), draining: false) }
    }

    /// Takes the packets that have come.
    func receive(_ device: DeviceConnection) {
        device.dispatcher?.now = loop.wallClockMilliseconds
        if takePackets(of: device), !device.hasEnded, let patience = device.patience {
            wheel?.set(device.slot, after: patience)
        }
        settleDown(device)
    }

    /// What follows when packets were taken: room in the window is used, answers go out.
    func settleDown(_ device: DeviceConnection) {
        if let session = device.session, !device.hasEnded { device.dispatcher?.advance(session) }
        flush()
        if device.conversation.phase == .open {
            device.awaitsDrain = device.connection.outputCount > Self.outputLimit
            device.connection.setReading(device.takesPackets)
        }
        readPages()
    }

    /// - Returns: whether there was a packet.
    private func takePackets(of device: DeviceConnection) -> Bool {
        var packets = 0
        let fault = device.connection.withInput { bytes, consumed -> MQTTError? in
            do throws(MQTTError) {
                while device.takesPackets {
                    if let session = device.session, let packetID = device.decoder.decodeShortPuback(bytes, consumed: &consumed) {
                        device.dispatcher?.acknowledge(packetID, of: session)
                    } else if let packet = try device.decoder.decode(bytes, consumed: &consumed) {
                        carryOut(device.conversation.receive(packet), device)
                    } else {
                        break
                    }
                    packets += 1
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault, !device.hasEnded { carryOut(device.conversation.receive(fault), device) }
        return packets > 0
    }

    /// Takes what the socket holds, for a device that will not be read again. Only what it has told counts: acknowledgements and receipts.
    func drain(_ device: DeviceConnection) {
        // Bounded: a peer that keeps sending must not keep the loop.
        for _ in 0..<16 {
            let count = device.connection.pull(atMost: configuration.maximumPacketSize)
            let fault = device.connection.withInput { bytes, consumed -> MQTTError? in
                do throws(MQTTError) {
                    while let packet = try device.decoder.decode(bytes, consumed: &consumed) {
                        takeLast(packet, device)
                    }
                    return nil
                } catch {
                    return error
                }
            }
            guard count > 0, fault == nil else { return }
        }
    }

    private func takeLast(_ packet: Packet, _ device: DeviceConnection) {
        guard let session = device.session else { return }
        switch packet {
        case .puback(let acknowledgement):
            device.dispatcher?.acknowledge(acknowledgement.packetID, of: session)
        case .publish:
            if case .commit(let receipt, let ticket) = device.conversation.receive(packet) {
                enqueue(receipt, ticket, device)
            }
        default: break
        }
    }

    /// Carries out what a packet leads to.
    func carryOut(_ effect: Conversation.Effect, _ device: DeviceConnection) {
        switch effect {
        case .none: break
        case .attach(let admission): attach(device, admission)
        case .send(let packet): send(packet, to: device)
        case .acknowledge(let packetID):
            guard let session = device.session else { return }
            device.dispatcher?.acknowledge(packetID, of: session)
        case .commit(let receipt, let ticket): enqueue(receipt, ticket, device)
        case .discard(let answer, let cause):
            logger.info("a device's PUBLISH leads to nothing", metadata: metadata(of: device, cause))
            if let answer { send(answer, to: device) }
        case .end(let ending): end(device, ending, draining: false)
        }
    }

    func send(_ packet: Packet, to device: DeviceConnection) {
        guard let session = device.session, let dispatcher = device.dispatcher else { return }
        dispatcher.write(packet, to: session)
    }

    func metadata(of device: DeviceConnection, _ cause: String) -> Logger.Metadata {
        ["device": "\(device.token?.text ?? "-")", "peer": "\(device.connection.peer)", "cause": "\(cause)"]
    }

    /// Silence has lasted too long.
    func deadlineHasCome(_ slot: Int) {
        guard let device = connections[slot], !device.hasEnded else { return }
        if device.conversation.phase == .open {
            let ending = Ending.disconnect(
                .keepAliveTimeout, device.conversation.version, cause: "nothing was heard for 1.5 times the keep-alive",
                isFault: true)
            end(device, ending, draining: false)
        } else {
            end(device, Ending(cause: "no CONNECT in time", isFault: true), draining: false)
        }
    }
}
