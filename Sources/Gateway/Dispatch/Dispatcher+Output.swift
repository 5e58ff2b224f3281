internal import MQTT

// What is written to sessions within one entry into the shard, and handed to their connections at its end: several frames, one write.

extension Dispatcher {
    /// Buffers are lent to the sessions that have output, so that a delivery allocates nothing and an idle session holds none.
    private static let bufferLimit = 32
    private static let largestBuffer = 64 * 1024

    /// Lends the session a buffer, unless it has one.
    func openOutput(of session: Session) {
        guard session.output.isEmpty else { return }
        written.append(session)
        if let buffer = buffers.popLast() { session.output = buffer }
    }

    /// Writes a packet that answers the device.
    func write(_ packet: Packet, to session: Session) {
        openOutput(of: session)
        packet.encode(version: session.version, into: &session.output)
    }

    /// Calls `send` with each session that has output, and takes the buffers back.
    func flush(_ send: (Session) -> Void) {
        guard !written.isEmpty else { return }
        for session in written {
            send(session)
            var buffer: [UInt8] = []
            swap(&buffer, &session.output)
            guard buffers.count < Self.bufferLimit, buffer.capacity <= Self.largestBuffer else { continue }
            buffer.removeAll(keepingCapacity: true)
            buffers.append(buffer)
        }
        written.removeAll(keepingCapacity: true)
    }
}
