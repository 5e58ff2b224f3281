/// A PUBLISH at QoS 1 that is encoded once and sent to many: all receivers share the bytes, only the packet identifier differs.
public struct PublishFrame: Sendable {
    /// The packet as it goes to a receiver, but for the two bytes at ``packetIDOffset``, which are 0.
    public let bytes: [UInt8]
    /// Where in ``bytes`` the packet identifier stands, two bytes, the high one first.
    public let packetIDOffset: Int

    /// The size in bytes, with the fixed header: what a Maximum Packet Size limits.
    public var count: Int { bytes.count }

    /// Encodes the packet. In 3.1.1 `properties` are not written. `topic` must be a topic name of at most 65,535 bytes.
    public init(
        topic: String, payload: [UInt8], version: ProtocolVersion, properties: Publish.Properties = Publish.Properties()
    ) {
        precondition(TopicName.fault(of: topic) == nil, "this is no topic name")
        let publish = Publish(topic: topic, payload: payload, qos: .atLeastOnce, packetID: 1, properties: properties)
        var bytes: [UInt8] = []
        Packet.publish(publish).encode(version: version, into: &bytes)
        var lengthBytes = 1
        while bytes[lengthBytes] & 0x80 != 0 { lengthBytes += 1 }
        packetIDOffset = 1 + lengthBytes + 2 + topic.utf8.count
        bytes[packetIDOffset + 1] = 0
        self.bytes = bytes
    }

    /// Writes the packet with `packetID`, which is not 0, to the front of `buffer`, which has room for ``count`` bytes.
    /// Allocates nothing.
    public func write(packetID: UInt16, into buffer: UnsafeMutableRawBufferPointer) {
        precondition(packetID != 0, "a packet identifier is not 0")
        buffer.copyBytes(from: bytes)
        buffer.storeBytes(of: packetID.bigEndian, toByteOffset: packetIDOffset, as: UInt16.self)
    }

    /// Appends the packet with `packetID`, which is not 0.
    public func append(packetID: UInt16, to output: inout [UInt8]) {
        precondition(packetID != 0, "a packet identifier is not 0")
        let at = output.count + packetIDOffset
        output.append(contentsOf: bytes)
        output[at] = UInt8(truncatingIfNeeded: packetID >> 8)
        output[at + 1] = UInt8(truncatingIfNeeded: packetID)
    }
}
