internal import Libevent
internal import Logging
internal import MQTT

// Room for one more connection, when the process has as many as it may.

extension Shard {
    /// A connection has been accepted: where there is no room the oldest makes some that has not sent its CONNECT. Where there is
    /// none, this one is refused as soon as its CONNECT shows in which version.
    func makeRoom(for newcomer: DeviceConnection) {
        guard let budget = configuration.budget, budget.isExceeded else { return }
        let silent = silentConnections.removeOldest(besides: newcomer)
        if let silent { close(silent, Ending(cause: "silent while there is no room")) }
        // One that was surplus itself leaves no place to the newcomer.
        if silent?.isSurplus ?? true {
            newcomer.isSurplus = surplus.take()
            if !newcomer.isSurplus { close(newcomer, Ending(cause: "no room")) }
        }
        guard let unreported = roomLine.admit() else { return }
        logger.warning(
            "no room for another device",
            metadata: ["connections": "\(budget.count)", "limit": "\(budget.limit)", "unreported": "\(unreported)"])
    }

    /// A connection is gone.
    func didLeaveRoom(_ connection: DeviceConnection) {
        surplus.didClose(surplus: connection.isSurplus)
    }

    /// Lets a CONNECT pass unless there is still no room for its connection.
    func checkRoom(for connection: DeviceConnection, _ admission: Admission) throws(Ending) {
        guard connection.isSurplus else { return }
        guard let budget = configuration.budget, budget.isFull else {
            connection.isSurplus = false
            surplus.place()
            return
        }
        // MQTT 5.0 §3.2.2.2: an imposed limit has been exceeded. 3.1.1 hears that the server is unavailable.
        throw admission.refuse(ConnectRefusal(.quotaExceeded, "no room"))
    }
}
