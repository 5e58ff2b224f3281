/// Connections that have not sent their CONNECT, the oldest first: those that go when there is no room.
struct SilentConnections {
    private var queue: [DeviceConnection] = []
    private var start = 0

    /// A connection has been accepted.
    mutating func append(_ connection: DeviceConnection) {
        // Most have spoken by now. One that is slow holds up for the connect timeout at most what stands behind it.
        while start < queue.count, !queue[start].isSilent { start += 1 }
        if start > queue.count / 2 {
            queue.removeFirst(start)
            start = 0
        }
        queue.append(connection)
    }

    /// The oldest, but not the one that has just come.
    mutating func removeOldest(besides newcomer: DeviceConnection) -> DeviceConnection? {
        while start < queue.count, queue[start] !== newcomer {
            let connection = queue[start]
            start += 1
            // Its CONNECT may have come, and nobody has read it yet.
            if connection.isSilent && !connection.socket.hasUnreadInput { return connection }
        }
        return nil
    }
}

extension DeviceConnection {
    fileprivate var isSilent: Bool { if case .awaitingConnect = state { true } else { false } }
}
