/// Something that has not said a word yet, perhaps.
protocol PerhapsSilent: AnyObject {
    var isSilent: Bool { get }
    /// What it says may have come, and nobody has read it yet.
    var hasUnreadInput: Bool { get }
}

/// Connections that have not sent their CONNECT, the oldest first: those that go when there is no room.
struct SilentConnections<Connection: PerhapsSilent> {
    private var queue: [Connection] = []
    private var start = 0

    /// A connection has been accepted.
    mutating func append(_ connection: Connection) {
        // Most have spoken by now. One that is slow holds up for the connect timeout at most what stands behind it.
        while start < queue.count, !queue[start].isSilent { start += 1 }
        if start > queue.count / 2 {
            queue.removeFirst(start)
            start = 0
        }
        queue.append(connection)
    }

    /// The oldest, but not the one that has just come. One whose words are still unread goes to the end of the queue: they may be
    /// no CONNECT.
    mutating func removeOldest(besides newcomer: Connection) -> Connection? {
        // What stands behind them now has just been looked at.
        let end = queue.count
        var looks = 0
        while start < end, queue[start] !== newcomer, looks < Self.looks {
            let connection = queue[start]
            start += 1
            guard connection.isSilent else { continue }
            guard connection.hasUnreadInput else { return connection }
            queue.append(connection)
            looks += 1
        }
        return nil
    }

    /// So many sockets are asked for each newcomer whether something waits in them: a call to the system each.
    private static var looks: Int { 64 }
}

extension DeviceConnection: PerhapsSilent {
    var isSilent: Bool { if case .awaitingConnect = state { true } else { false } }
    var hasUnreadInput: Bool { socket.hasUnreadInput }
}
