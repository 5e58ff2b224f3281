extension Unsubscribe {
    init(from reader: inout ByteReader) throws(MQTTError) {
        let packetID = try reader.packetID()
        let properties = reader.version == .v5 ? try Properties(from: &reader) : Properties(userProperties: [])
        if reader.isAtEnd { throw reader.violation(.unsubscribeEmpty) }
        var filters: [TopicFilter] = []
        while !reader.isAtEnd { filters.append(try reader.topicFilter()) }
        self.init(packetID: packetID, filters: filters, userProperties: properties.userProperties)
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(packetID != 0, "a packet identifier is not 0")
        sink.uint16(packetID)
        if version == .v5 { sink.properties(Properties(userProperties: userProperties)) }
        for filter in filters { sink.string(filter.text) }
    }

    /// UNSUBSCRIBE has user properties only (MQTT 5.0 §3.10.2.1).
    private struct Properties: PropertySet {
        var userProperties: [UserProperty]

        init(userProperties: [UserProperty]) { self.userProperties = userProperties }

        init(from reader: inout ByteReader) throws(MQTTError) {
            userProperties = []
            var properties = try PropertyReader(&reader)
            while let identifier = try properties.next() {
                guard identifier == .userProperty else { throw properties.violation(.propertyNotAllowed) }
                userProperties.append(try properties.userProperty())
            }
        }

        func write(to sink: inout some ByteSink) { sink.userProperties(userProperties) }
    }
}

extension Unsuback {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init(packetID: try reader.packetID(), reasonCodes: [])
        guard reader.version == .v5 else { return }
        properties = try ReasonProperties(from: &reader)
        if reader.isAtEnd { throw reader.violation(.reasonCodesEmpty) }
        while !reader.isAtEnd { reasonCodes.append(try reader.reasonCode()) }
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(packetID != 0, "a packet identifier is not 0")
        sink.uint16(packetID)
        guard version == .v5 else { return }
        sink.properties(properties)
        for code in reasonCodes { sink.uint8(code.rawValue) }
    }
}
