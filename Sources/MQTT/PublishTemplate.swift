/// The PUBLISH packets at QoS 1 to one topic, without properties: everything but the packet identifier and the payload is
/// encoded beforehand.
///
/// For a sender of many messages, each to few receivers: a packet is appended to the receiver's output without a ``Packet`` in
/// between, in about 300 instructions instead of 2,300.
public struct PublishTemplate: Sendable {
    /// The topic name with its length before it.
    private let topic: [UInt8]
    /// What stands between the packet identifier and the payload: in 5.0 the length of no properties.
    private let properties: [UInt8]

    /// Creates the template. `topic` must be a topic name of at most 65,535 bytes.
    public init(topic: String, version: ProtocolVersion) {
        precondition(TopicName.fault(of: topic) == nil, "this is no topic name")
        var bytes: [UInt8] = []
        bytes.string(topic)
        self.topic = bytes
        properties = version == .v5 ? [0] : []
    }

    private func remainingLength(_ payload: [UInt8]) -> Int { topic.count + 2 + properties.count + payload.count }

    /// The size of the packet with that payload in bytes, with the fixed header: what a Maximum Packet Size limits.
    public func size(of payload: [UInt8]) -> Int {
        let remaining = remainingLength(payload)
        return 1 + VariableByteInteger.length(of: remaining) + remaining
    }

    /// Appends the packet with that payload and `packetID`, which is not 0.
    public func append(_ payload: [UInt8], packetID: UInt16, to output: inout [UInt8]) {
        precondition(packetID != 0, "a packet identifier is not 0")
        let remaining = remainingLength(payload)
        output.uint8(PacketType.publish.rawValue << 4 | QoS.atLeastOnce.rawValue << 1)
        output.variableByteInteger(remaining)
        output.append(contentsOf: topic)
        output.uint16(packetID)
        output.append(contentsOf: properties)
        output.append(contentsOf: payload)
    }
}
