internal import Libevent
internal import MQTT

// CONNACK goes out with the first messages, in one write: half of what connecting costs the kernel, when everybody comes at once.

extension Shard {
    /// How long a CONNACK waits at most for the first page of the log.
    private static let patience = Duration.milliseconds(50)

    /// Sends the CONNACK, or has it wait for the page that the session reads or will read next.
    func greet(_ device: DeviceConnection, _ session: Session) {
        guard session.isReading || session.isWaiting, let impatience else { return sendPrologue(device) }
        if greeting.isEmpty { impatience.restart(after: Self.patience) }
        greeting.append(device)
    }

    /// Pages take long: nobody waits any more.
    func losePatience() {
        let waiting = greeting
        greeting = []
        for device in waiting { sendPrologue(device) }
    }

    /// Sends the CONNACK, unless it has gone with something else.
    func sendPrologue(_ device: DeviceConnection) {
        guard !device.prologue.isEmpty else { return }
        device.connection.send(device.takePrologue())
    }

    /// The CONNACK's bytes. The devices of a fleet nearly all get the same one.
    func encoded(_ connack: Packet, _ version: ProtocolVersion) -> [UInt8] {
        if let last = lastConnack, last.version == version, last.packet == connack { return last.bytes }
        var bytes: [UInt8] = []
        connack.encode(version: version, into: &bytes)
        lastConnack = (connack, version, bytes)
        return bytes
    }
}
