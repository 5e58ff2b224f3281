public import Libevent
internal import MQTT
internal import Push

// The orderly end.

extension Shard {
    /// Accepts no device any more; those that are there stay.
    public func stopAccepting() {
        for listener in listeners { listener.stopAccepting() }
        listeners = []
    }

    /// Disconnects the devices little by little, so that they come to other servers so: their sockets are read empty, 5.0 devices
    /// are told (0x8B), what was acknowledged is settled. Devices that wait for their turn are served as ever. After
    /// ``stopAccepting()``, or they come back here.
    ///
    /// Returns when no device is left, or when ``shutdown()`` has begun, which disconnects the rest at once.
    /// - Parameter rate: devices a second, above 0.
    /// - Throws: `LibeventError` when the loop cannot give a timer.
    public func disconnect(perSecond rate: Double) async throws(LibeventError) {
        precondition(rate > 0 && onWave == nil, "devices leave once, and at some pace")
        let timer = try Timer(on: loop, after: Self.wave, every: Self.wave) { [unowned self] in endPause() }
        defer { timer.cancel() }
        let most = max(1, rate * Self.secondsPerWave)
        var waiting: [DeviceConnection] = []
        var allowance = 0.0
        while !isStopping {
            if waiting.isEmpty { waiting = connections.all.filter(\.isOpen) }
            if waiting.isEmpty && attaching.isEmpty { return }
            // What was not used is not saved up: devices that come late would go in one wave.
            allowance = min(most, allowance + rate * Self.secondsPerWave)
            var leaving: [DeviceConnection] = []
            while allowance >= 1, let connection = waiting.popLast() {
                guard connection.isOpen else { continue }
                leaving.append(connection)
                allowance -= 1
            }
            // A wave before they are disconnected: receipts that are found in their sockets get their answers.
            readEmpty(leaving)
            await withCheckedContinuation { onWave = $0 }
            enter {
                for connection in leaving { close(connection, shutdownEnding(of: connection)) }
            }
        }
    }

    private static let wave = Duration.milliseconds(100)
    private static let secondsPerWave = 0.1

    private func endPause() {
        onWave?.resume()
        onWave = nil
    }

    /// Ends the shard: no device is accepted any more, every socket is read empty, 5.0 devices are told (0x8B), what was
    /// acknowledged is settled, sessions are detached. Returns when every connection is closed and the store has answered all
    /// calls; then the loop may end.
    public func shutdown() async {
        isStopping = true
        stopAccepting()
        endPause()
        resumeSlowed()
        // Sockets first: receipts that are found in them get their answers before the connection ends.
        let all = connections.all
        readEmpty(all)
        await quiet { $0.outstandingCalls == 0 }
        enter {
            for connection in all { close(connection, shutdownEnding(of: connection)) }
        }
        await quiet { $0.connections.count == 0 && $0.outstandingCalls == 0 }
    }

    /// Sends nothing more to these devices, and takes what they have sent.
    private func readEmpty(_ ending: [DeviceConnection]) {
        enter {
            for connection in ending {
                guard case .open(let session, let dispatcher) = connection.state else { continue }
                dispatcher.freeze(session)
                drain(connection, session, dispatcher)
            }
            for connection in ending { takePostponed(of: connection) }
            handOver()
            commitReceipts()
        }
    }

    private func shutdownEnding(of connection: DeviceConnection) -> Ending {
        let cause = "the server shuts down"
        guard case .open(let session, _) = connection.state else { return Ending(cause: cause) }
        return .disconnect(.serverShuttingDown, session.version, cause: cause)
    }

    private func quiet(_ isOver: @escaping (isolated Shard) -> Bool) async {
        while !isOver(self) {
            await withCheckedContinuation { continuation in
                // Asked again, for an `await` may let others run before it suspends; here nobody can.
                if isOver(self) { continuation.resume() } else { onQuiet = (isOver, continuation) }
            }
        }
    }

    /// Something has happened: perhaps what a shutdown waits for. Whoever waits is not woken in vain, since that is a turn of the
    /// loop more, at whose end this is asked again: a store that keeps it waiting would have it spin.
    func resumeIfQuiet() {
        guard isStopping, let (isOver, waiting) = onQuiet, isOver(self) else { return }
        onQuiet = nil
        waiting.resume()
    }
}
