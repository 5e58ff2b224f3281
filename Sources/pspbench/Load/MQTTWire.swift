internal import MQTT

/// Publishing at QoS 1 to a broker.
struct MQTTWire: LoadWire {
    /// `{}` stands for the target's number.
    var topic: String
    /// `{}` stands for the connection's number.
    var clientIdentifier = "publisher-{}"
    var userName: String?
    var password: String?
    /// Bytes of the payload, mark included.
    var size = 200

    func greeting(of connection: Int) -> [UInt8]? {
        let connect = Connect(
            version: .v311, clientIdentifier: SwarmPlan.fill(clientIdentifier, connection),
            userName: userName.map { SwarmPlan.fill($0, connection) },
            password: password.map { Array(SwarmPlan.fill($0, connection).utf8) })
        var bytes: [UInt8] = []
        Packet.connect(connect).encode(version: .v311, into: &bytes)
        return bytes
    }

    mutating func write(_ message: LoadMessage, to bytes: inout [UInt8]) {
        var payload = Array(message.mark.text.utf8)
        payload.append(contentsOf: repeatElement(0x78, count: max(0, size - payload.count)))
        let frame = PublishFrame(topic: SwarmPlan.fill(topic, message.target), payload: payload, version: .v311)
        frame.append(packetID: message.identifier, to: &bytes)
    }

    func answer(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(BenchError) -> LoadAnswer? {
        var decoder = PacketDecoder(role: .client, version: .v311)
        do {
            switch try decoder.decode(bytes, consumed: &consumed) {
            case nil: return nil
            case .connack(let connack):
                guard connack.reasonCode == .success else { throw BenchError("CONNACK \(connack.reasonCode)") }
                return .ready
            case .puback(let acknowledgement):
                return acknowledgement.reasonCode == .success ? .accepted : .refused("PUBACK \(acknowledgement.reasonCode)")
            case .some(let packet): throw BenchError("a publisher got \(packet.type)")
            }
        } catch let error as BenchError {
            throw error
        } catch {
            throw BenchError("\(error)")
        }
    }
}
