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

    /// The oldest, but not the one that has just come. One whose words are still unread keeps its place in the queue: they may be
    /// no CONNECT.
    mutating func removeOldest(besides newcomer: Connection) -> Connection? {
        var index = start
        while index < queue.count, queue[index] !== newcomer {
            let connection = queue[index]
            if connection.isSilent && !connection.hasUnreadInput {
                if index == start { start += 1 } else { queue.remove(at: index) }
                return connection
            }
            if index == start, !connection.isSilent { start += 1 }
            index += 1
        }
        return nil
    }
}

extension DeviceConnection: PerhapsSilent {
    var isSilent: Bool { if case .awaitingConnect = state { true } else { false } }
    var hasUnreadInput: Bool { socket.hasUnreadInput }
}
