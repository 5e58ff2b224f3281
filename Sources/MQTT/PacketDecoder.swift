/// Takes packets off the front of a stream of bytes. It keeps no bytes: what it has not consumed stays with the caller.
///
///     var offset = 0
///     while let packet = try decoder.decode(bytes, consumed: &offset) { session.receive(packet) }
///     input.drain(offset)
///
/// While a packet is incomplete, a call looks at its fixed header only, at most five bytes, so a packet that comes byte by byte
/// costs no more than one that comes whole.
public struct PacketDecoder: Sendable {
    /// The side that decodes.
    public let role: Role
    /// The version in use. A server learns it from the first CONNECT; nil until then.
    public private(set) var version: ProtocolVersion?
    /// The largest packet that is taken, in bytes with its fixed header (MQTT 5.0 §2.1.4).
    public var maximumPacketSize: Int

    /// The largest packet that the format allows: a first byte, four of length, 268,435,455 behind them.
    public static let largestPacketSize = 5 + VariableByteInteger.maximum

    /// Creates a decoder for the side `role`. `version` is nil for a server, which learns it from CONNECT; a client knows what
    /// it asked for.
    public init(role: Role, version: ProtocolVersion? = nil, maximumPacketSize: Int = PacketDecoder.largestPacketSize) {
        precondition(role == .server || version != nil, "a client knows its version")
        self.role = role
        self.version = version
        self.maximumPacketSize = maximumPacketSize
    }

    /// Decodes the packet that begins at `bytes[consumed]` and advances `consumed` over it; nil if it has not all arrived.
    ///
    /// Throws ``MQTTError``, with `consumed` unchanged; the connection must then be closed. A packet above the maximum size, of
    /// a wrong type or with wrong flags is refused as soon as its fixed header is here.
    public mutating func decode(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(MQTTError) -> Packet? {
        guard let (packet, spoken) = try packet(in: bytes, consumed: &consumed) else { return nil }
        if version == nil { version = spoken }
        return packet
    }

    /// Decodes the packet that begins at `bytes[consumed]`; as ``decode(_:consumed:)-(UnsafeRawBufferPointer,_)``.
    public mutating func decode(_ bytes: RawSpan, consumed: inout Int) throws(MQTTError) -> Packet? {
        try bytes.withUnsafeBytes { (buffer) throws(MQTTError) -> Packet? in try decode(buffer, consumed: &consumed) }
    }

    /// Decodes the PUBACK that begins at `bytes[consumed]` and advances `consumed` over it; nil, with `consumed` unchanged, if
    /// something else begins there or it has not all arrived. Throws as ``decode(_:consumed:)-(UnsafeRawBufferPointer,_)``
    /// does. After CONNECT only.
    ///
    /// Nearly all that a receiver of messages sends are PUBACKs of four bytes. Without a ``Packet`` in between, one takes a
    /// sixth of the instructions.
    public func decodePuback(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(MQTTError) -> Puback? {
        guard bytes.count - consumed >= 4, bytes[consumed] == PacketType.puback.rawValue << 4 else { return nil }
        let packetID = UInt16(bytes[consumed + 2]) << 8 | UInt16(bytes[consumed + 3])
        guard bytes[consumed + 1] == 2, packetID != 0, maximumPacketSize >= 4, version != nil else {
            return try decodeLongPuback(bytes, consumed: &consumed)
        }
        consumed += 4
        return Puback(packetID: packetID, reasonCode: .success)
    }

    /// A PUBACK with a reason code, or one that is malformed.
    @inline(never)
    private func decodeLongPuback(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(MQTTError) -> Puback? {
        guard case (.puback(let acknowledgement), _)? = try packet(in: bytes, consumed: &consumed) else { return nil }
        return Puback(packetID: acknowledgement.packetID, reasonCode: acknowledgement.reasonCode)
    }

    /// The size of the packet that begins at `bytes[offset]`, with its fixed header, so that a caller can wait for so many
    /// bytes; nil if even the header has not all arrived. Throws what ``decode(_:consumed:)-(UnsafeRawBufferPointer,_)`` would.
    public func packetSize(in bytes: UnsafeRawBufferPointer, at offset: Int = 0) throws(MQTTError) -> Int? {
        try fixedHeader(of: bytes, at: offset)?.packetSize
    }
}

/// The first two to five bytes of a packet (MQTT 5.0 §2.1.1).
struct FixedHeader {
    let type: PacketType
    /// Bits 3 to 0 of the first byte; they tell something in PUBLISH only.
    let flags: UInt8
    /// The header's own length.
    let size: Int
    /// The packet's length, header and all.
    let packetSize: Int
    /// Whether the remaining length is in its shortest form; a CONNECT of 5.0 is held to it once its level is known.
    let isMinimal: Bool
}

extension PacketDecoder {
    /// Decodes a packet, and tells the version that is spoken after it.
    private func packet(
        in bytes: UnsafeRawBufferPointer, consumed: inout Int
    ) throws(MQTTError) -> (Packet, ProtocolVersion?)? {
        guard let header = try fixedHeader(of: bytes, at: consumed), bytes.count - consumed >= header.packetSize else {
            return nil
        }
        let end = consumed + header.packetSize
        var reader = ByteReader(
            bytes, range: consumed + header.size..<end, packet: header.type, role: role, version: version)
        let packet = try Packet(header, &reader)
        guard reader.isAtEnd else { throw reader.violation(.packetTooLong) }
        consumed = end
        return (packet, reader.version)
    }

    private func fixedHeader(of bytes: UnsafeRawBufferPointer, at start: Int) throws(MQTTError) -> FixedHeader? {
        guard start < bytes.count else { return nil }
        let first = bytes[start]
        let type = try packetType(of: first)
        switch VariableByteInteger.decode(bytes, at: start + 1, end: bytes.count) {
        case .needsMore: return nil
        case .tooLong: throw violation(.variableByteIntegerLength, type)
        case .value(let remaining, let length, let isMinimal):
            if version == .v5, !isMinimal { throw violation(.variableByteIntegerMinimal, type) }
            let size = 1 + length
            guard size + remaining <= maximumPacketSize else { throw violation(.maximumPacketSize, type) }
            return FixedHeader(
                type: type, flags: first & 0x0F, size: size, packetSize: size + remaining, isMinimal: isMinimal)
        }
    }

    private func packetType(of first: UInt8) throws(MQTTError) -> PacketType {
        guard let type = PacketType(rawValue: first >> 4), version.map({ type.exists(in: $0) }) ?? true else {
            throw violation(.reservedPacketType, nil)
        }
        if version == nil, type != .connect { throw .packetBeforeConnect(type) }
        try checkFlags(first & 0x0F, of: type)
        if let version, !type.mayBeSent(to: role, in: version) { throw violation(.packetDirection, type) }
        return type
    }

    private func checkFlags(_ flags: UInt8, of type: PacketType) throws(MQTTError) {
        guard type == .publish else {
            if flags != type.reservedFlags { throw violation(.reservedFlags, type) }
            return
        }
        if flags & 0b0110 == 0b0110 { throw violation(.publishQoS, type) }
        if flags & 0b1110 == 0b1000 { throw violation(.duplicateAtQoS0, type) }
    }

    private func violation(_ rule: Rule, _ type: PacketType?) -> MQTTError {
        .violation(rule, packet: type, version: version)
    }
}
