extension Acknowledgement {
    /// Without a code it is success; without properties there are none (MQTT 5.0 §3.4.2.1, §3.4.2.2.1).
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init(packetID: try reader.packetID())
        guard reader.version == .v5, !reader.isAtEnd else { return }
        reasonCode = try reader.reasonCode()
        if !reader.isAtEnd { properties = try ReasonProperties(from: &reader) }
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(packetID != 0, "a packet identifier is not 0")
        sink.uint16(packetID)
        guard version == .v5, reasonCode != .success || !properties.isEmpty else { return }
        sink.uint8(reasonCode.rawValue)
        if !properties.isEmpty { sink.properties(properties) }
    }
}

extension ReasonProperties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .reasonString: reasonString = try properties.string()
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
    }

    var isEmpty: Bool { reasonString == nil && userProperties.isEmpty }

    func write(to sink: inout some ByteSink) {
        sink.property(.reasonString, reasonString)
        sink.userProperties(userProperties)
    }
}
