extension Packet {
    /// Decodes what is behind the fixed header.
    init(_ header: FixedHeader, _ reader: inout ByteReader) throws(MQTTError) {
        switch header.type {
        case .puback: self = .puback(try Acknowledgement(from: &reader))
        case .publish: self = .publish(try Publish(from: &reader, header: header))
        case .pingreq: self = .pingreq
        case .pingresp: self = .pingresp
        case .pubrec: self = .pubrec(try Acknowledgement(from: &reader))
        case .pubrel: self = .pubrel(try Acknowledgement(from: &reader))
        case .pubcomp: self = .pubcomp(try Acknowledgement(from: &reader))
        case .connect: self = .connect(try Connect(from: &reader, header: header))
        case .connack: self = .connack(try Connack(from: &reader))
        case .subscribe: self = .subscribe(try Subscribe(from: &reader))
        case .suback: self = .suback(try Suback(from: &reader))
        case .unsubscribe: self = .unsubscribe(try Unsubscribe(from: &reader))
        case .unsuback: self = .unsuback(try Unsuback(from: &reader))
        case .disconnect: self = .disconnect(try Disconnect(from: &reader))
        case .auth: self = .auth(try Auth(from: &reader))
        }
    }

    /// Appends the packet to `bytes`, in the shortest form and with its properties ascending by identifier, the user properties
    /// last.
    ///
    /// The caller's own mistakes trap: a packet identifier of 0 or at QoS 0, a string of more than 65,535 bytes, AUTH in 3.1.1.
    public func encode(version: ProtocolVersion, into bytes: inout [UInt8]) {
        let remaining = remainingLength(version: version)
        bytes.reserveCapacity(bytes.count + 1 + VariableByteInteger.length(of: remaining) + remaining)
        bytes.uint8(firstByte)
        bytes.variableByteInteger(remaining)
        write(to: &bytes, version: version)
    }

    /// The packet's size in bytes, with its fixed header: what a Maximum Packet Size limits (MQTT 5.0 §2.1.4).
    public func encodedSize(version: ProtocolVersion) -> Int {
        let remaining = remainingLength(version: version)
        return 1 + VariableByteInteger.length(of: remaining) + remaining
    }

    private func remainingLength(version: ProtocolVersion) -> Int {
        var counter = ByteCounter()
        write(to: &counter, version: version)
        return counter.count
    }

    private var firstByte: UInt8 {
        if case .publish(let publish) = self { return type.rawValue << 4 | publish.flags }
        return type.rawValue << 4 | type.reservedFlags
    }

    /// Writes what is behind the fixed header.
    private func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        switch self {
        case .connect(let connect): connect.write(to: &sink, version: version)
        case .connack(let connack): connack.write(to: &sink, version: version)
        case .publish(let publish): publish.write(to: &sink, version: version)
        case .puback(let acknowledgement), .pubrec(let acknowledgement), .pubrel(let acknowledgement),
            .pubcomp(let acknowledgement):
            acknowledgement.write(to: &sink, version: version)
        case .subscribe(let subscribe): subscribe.write(to: &sink, version: version)
        case .suback(let suback): suback.write(to: &sink, version: version)
        case .unsubscribe(let unsubscribe): unsubscribe.write(to: &sink, version: version)
        case .unsuback(let unsuback): unsuback.write(to: &sink, version: version)
        case .pingreq, .pingresp: break
        case .disconnect(let disconnect): disconnect.write(to: &sink, version: version)
        case .auth(let auth): auth.write(to: &sink, version: version)
        }
    }
}
