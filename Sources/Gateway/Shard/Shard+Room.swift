internal import Libevent
internal import Logging
internal import MQTT

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
    func didLeaveRoom(_ connection: DeviceConnection) { room.leave(surplus: connection.isSurplus) }

    /// Lets a CONNECT pass unless there is still no room for its connection.
    func checkRoom(for connection: DeviceConnection, _ admission: Admission) throws(Ending) {
        guard connection.isSurplus else { return }
        connection.isSurplus = !room.place()
        guard connection.isSurplus else { return }
        // MQTT 5.0 §3.2.2.2: an imposed limit has been exceeded. 3.1.1 hears that the server is unavailable.
        throw admission.refuse(ConnectRefusal(.quotaExceeded, .noRoom, "no room"))
    }
}
