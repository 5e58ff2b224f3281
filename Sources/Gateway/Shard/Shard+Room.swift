internal import Libevent
internal import Logging
internal import MQTT
internal import Push

// Room for one more connection, when the process has as many as it may.

extension Shard {
    /// A connection has been accepted: where there is no room the oldest makes some that has not sent its CONNECT. Where there is
    /// none, this one is refused as soon as its CONNECT shows in which version.
    func makeRoom(for newcomer: DeviceConnection) {
        let pressure = room.makeRoom {
            guard let silent = silentConnections.removeOldest(besides: newcomer) else { return nil }
            close(silent, Ending(cause: "silent while there is no room"))
            return !silent.isSurplus
        }
        guard let pressure else { return }
        switch pressure {
        case .closedSilent: break
        case .surplus: newcomer.isSurplus = true
        case .dropped: close(newcomer, Ending(cause: "no room"))
        }
        guard let budget = configuration.budget, let unreported = roomLine.admit() else { return }
        logger.warning(
            "no room for another device",
            metadata: ["connections": "\(budget.count)", "limit": "\(budget.limit)", "unreported": "\(unreported)"])
    }

    /// A connection is gone.
    func didLeaveRoom(_ connection: DeviceConnection) {
        room.leave(surplus: connection.isSurplus)
        if connection.isAdmitted { configuration.admission?.leave(connection.socket.clientAddress.ip) }
    }

    /// Closes a connection if too many come, or too many of its address.
    /// - Returns: whether it may stay.
    func admit(_ connection: DeviceConnection) -> Bool {
        guard let admission = configuration.admission else { return true }
        connection.isAdmitted = admission.admit(connection.socket.clientAddress.ip, at: loop.monotonicNow)
        if !connection.isAdmitted { close(connection, Ending(cause: "too many connections, or too many of its address")) }
        return connection.isAdmitted
    }

    /// Refuses a CONNECT from where too many have failed, before the store is asked.
    func checkFailures(of connection: DeviceConnection, _ admission: Admission) throws(Ending) {
        let address = connection.socket.clientAddress.ip
        guard !configuration.logins.admits(admission.token.text, from: address, at: loop.monotonicNow) else { return }
        throw admission.refuse(ConnectRefusal(.connectionRateExceeded, .failedLogins, "too many log-ins failed from there"))
    }

    /// The store has refused a CONNECT.
    func noteFailure(of connection: DeviceConnection, _ admission: Admission, _ error: AttachError) {
        switch error {
        case .unknownDevice, .wrongSecret:
            let address = connection.socket.clientAddress.ip
            configuration.logins.noteFailure(of: admission.token.text, from: address, at: loop.monotonicNow)
        case .takenOver, .unavailable: break
        }
    }

    /// Lets a CONNECT pass unless there is still no room for its connection.
    func checkRoom(for connection: DeviceConnection, _ admission: Admission) throws(Ending) {
        guard connection.isSurplus else { return }
        connection.isSurplus = !room.place()
        guard connection.isSurplus else { return }
        // MQTT 5.0 §3.2.2.2: an imposed limit has been exceeded. 3.1.1 hears that the server is unavailable.
        throw admission.refuse(ConnectRefusal(.quotaExceeded, .noRoom, "no room"))
    }
}
