internal import Libevent
internal import MQTT
internal import Push

// The orderly end.

extension Shard {
    /// Ends the shard: no device is accepted any more, every socket is read empty, 5.0 devices are told (0x8B), what was
    /// acknowledged is settled, sessions are detached. Returns when every connection is closed and the store has answered all
    /// calls; then the loop may end.
    public func shutdown() async {
        isStopping = true
        for listener in listeners { listener.stopAccepting() }
        listeners = []
        // Sockets first: receipts that are found in them get their answers before the connection ends.
        let all = connections.all
        enter {
            for connection in all {
                guard case .open(let session, let dispatcher) = connection.state else { continue }
                dispatcher.freeze(session)
                drain(connection, session, dispatcher)
            }
            handOver()
            commitReceipts()
        }
        await quiet { $0.outstandingCalls == 0 }
        enter {
            for connection in all { close(connection, shutdownEnding(of: connection)) }
        }
        await quiet { $0.connections.count == 0 && $0.outstandingCalls == 0 }
    }

    private func shutdownEnding(of connection: DeviceConnection) -> Ending {
        let cause = "the server shuts down"
        guard case .open(let session, _) = connection.state else { return Ending(cause: cause) }
        return .disconnect(.serverShuttingDown, session.version, cause: cause)
    }

    private func quiet(_ isOver: (isolated Shard) -> Bool) async {
        while !isOver(self) {
            await withCheckedContinuation { continuation in
                // Asked again, for an `await` may let others run before it suspends; here nobody can.
                if isOver(self) { continuation.resume() } else { onQuiet = continuation }
            }
        }
    }

    /// Something that a shutdown waits for has ended.
    func resumeIfQuiet() {
        guard isStopping, let continuation = onQuiet else { return }
        onQuiet = nil
        continuation.resume()
    }
}
