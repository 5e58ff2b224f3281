internal import MQTT

// What is written to sessions within one entry into the shard, and handed to their connections at its end: several packets, one
// write.

extension Dispatcher {
    /// Buffers are lent to the sessions that have output, so that a delivery allocates nothing and an idle session holds none.
    private static let bufferLimit = 32
    /// A smaller one would have to grow under the next messages.
    private static let smallestBuffer = 512
    private static let largestBuffer = 64 * 1024

    /// Lends the session a buffer for its output, unless it has one, and has it flushed.
    func openOutput(of session: Session) {
        guard !session.isQueuedForFlush else { return }
        session.isQueuedForFlush = true
        flushQueue.append(session)
        guard var buffer = buffers.popLast() else { return }
        // A CONNACK that has waited for what comes now.
        if !session.output.isEmpty { buffer += session.output }
        session.output = buffer
    }

    /// Writes a packet that answers the device.
    func write(_ packet: Packet, to session: Session) {
        openOutput(of: session)
        packet.encode(version: session.version, into: &session.output)
    }

    /// Has the CONNACK sent at the end of this entry, unless it has gone.
    func releaseConnack(of session: Session) {
        if session.owesConnack { openOutput(of: session) }
    }

    /// Drops what was written to sessions in this entry.
    /// - Returns: those sessions. They have lost packets, so their connections must end.
    func discardOutput() -> [Session] {
        let sessions = flushQueue
        for session in sessions {
            session.isQueuedForFlush = false
            session.output = []
        }
        flushQueue.removeAll()
        return sessions
    }

    /// Calls `send` with each session that has output, and takes the buffers back.
    func flush(_ send: (Session) -> Void) {
        guard !flushQueue.isEmpty else { return }
        for session in flushQueue {
            send(session)
            session.isQueuedForFlush = false
            session.owesConnack = false
            var buffer: [UInt8] = []
            swap(&buffer, &session.output)
            let isUseful = buffer.capacity >= Self.smallestBuffer && buffer.capacity <= Self.largestBuffer
            guard isUseful, buffers.count < Self.bufferLimit else { continue }
            buffer.removeAll(keepingCapacity: true)
            buffers.append(buffer)
        }
        flushQueue.removeAll(keepingCapacity: true)
    }
}
