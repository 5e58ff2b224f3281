public import Libevent
internal import MQTT
internal import Push

// What the sockets tell: accepted, readable, drained, closed, silent.

extension Shard: ConnectionHandler {
    /// A balancer has said whose connection it is.
    public nonisolated func connectionDidIdentify(_ socket: sending Connection) {
        assumeIsolated { shard in
            guard let connection = socket.tag as? DeviceConnection else { return }
            shard.enter { _ = shard.admit(connection) }
        }
    }

    /// There is unread input.
    public nonisolated func connectionDidRead(_ socket: sending Connection) {
        assumeIsolated { shard in
            guard let connection = socket.tag as? DeviceConnection else { return }
            shard.enter { shard.receive(connection) }
        }
    }

    /// What the peer did not take at once has been written.
    public nonisolated func connectionDidDrain(_ socket: sending Connection) {
        assumeIsolated { shard in
            guard let connection = socket.tag as? DeviceConnection, connection.awaitsDrain else { return }
            shard.enter {
                connection.undrained = 0
                // What the peer has sent meanwhile is read now.
                shard.restartSilence(of: connection)
                connection.socket.setReading(connection.takesPackets)
            }
        }
    }

    /// The connection has ended.
    public nonisolated func connectionDidClose(_ socket: sending Connection, reason: Connection.CloseReason) {
        assumeIsolated { shard in
            guard let connection = socket.tag as? DeviceConnection else { return }
            shard.enter {
                shard.close(connection, Ending(reason))
                shard.connections.remove(connection)
                shard.didLeaveRoom(connection)
            }
        }
    }
}

extension Shard {
    /// A device has connected.
    func didAccept(_ socket: Connection) { enter { accept(socket) } }

    private func accept(_ socket: Connection) {
        let connection = DeviceConnection(socket, slot: connections.nextSlot, configuration: configuration)
        connections.insert(connection)
        socket.handler = self
        socket.tag = connection
        let largest = configuration.maximumPacketSize
        if 2 * largest > Connection.standardInputLimit { socket.setInputLimit(2 * largest) }
        wheel?.set(connection.slot, after: configuration.connectTimeout)
        room.enter()
        silentConnections.append(connection)
        guard !isStopping else { return close(connection, Ending(cause: "the server shuts down")) }
        guard !socket.isIdentified || admit(connection) else { return }
        makeRoom(for: connection)
    }

    /// A connection's time is over: for its CONNECT, or for any packet.
    func deadlineHasCome(_ slot: Int) {
        enter { if let connection = connections[slot] { endSilence(of: connection) } }
    }

    private func endSilence(of connection: DeviceConnection) {
        switch connection.state {
        case .awaitingConnect, .attaching:
            connectionCounters.connectTimeouts += 1
            close(connection, Ending(cause: "no CONNECT in time", isFault: true))
        case .open where connection.showsLife(): restartSilence(of: connection)
        case .open(let session, _):
            let cause = "nothing was heard for 1.5 times the keep-alive"
            close(connection, .disconnect(.keepAliveTimeout, session.version, cause: cause, isFault: true))
        case .closing: break
        }
    }
}
