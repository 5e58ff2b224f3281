/// The flags of PUBLISH (MQTT 5.0 §3.3.1).
private enum PublishFlags {
    static let retain: UInt8 = 0b0001
    static let duplicate: UInt8 = 0b1000
}

extension Publish {
    init(from reader: inout ByteReader, header: FixedHeader) throws(MQTTError) {
        // The fixed header has been checked, so the bits can only be 0, 1 or 2.
        guard let qos = QoS(rawValue: header.flags >> 1 & 0b11) else { throw reader.violation(.publishQoS) }
        let topic = try reader.name()
        if TopicName.fault(of: topic) == .wildcard { throw reader.violation(.topicNameWildcard) }
        let packetID = qos == .atMostOnce ? nil : try reader.packetID()
        let properties = reader.version == .v5 ? try Properties(from: &reader) : Properties()
        if topic.isEmpty, properties.topicAlias == nil { throw reader.violation(.topicNameEmpty) }
        self.init(
            topic: topic, payload: reader.remainder(), qos: qos, packetID: packetID,
            isDuplicate: header.flags & PublishFlags.duplicate != 0, retain: header.flags & PublishFlags.retain != 0,
            properties: properties)
    }

    /// Bits 3 to 0 of the first byte.
    var flags: UInt8 {
        qos.rawValue << 1 | (isDuplicate ? PublishFlags.duplicate : 0) | (retain ? PublishFlags.retain : 0)
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.string(topic)
        precondition((packetID ?? 0 != 0) == (qos != .atMostOnce), "a packet identifier belongs to QoS 1 and 2, and is not 0")
        if let packetID { sink.uint16(packetID) }
        if version == .v5 { sink.properties(properties) }
        sink.raw(payload)
    }
}

extension Publish.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader, repeatsSubscriptionIdentifier: reader.role == .client)
        while let identifier = try properties.next() {
            switch identifier {
            case .payloadFormatIndicator: payloadIsUTF8 = try properties.boolean()
            case .messageExpiryInterval: messageExpiryInterval = try properties.uint32()
            case .contentType: contentType = try properties.string()
            case .responseTopic: responseTopic = try properties.responseTopic()
            case .correlationData: correlationData = try properties.binary()
            case .subscriptionIdentifier:
                guard properties.role == .client else { throw properties.violation(.subscriptionIdentifierFromClient) }
                subscriptionIdentifiers.append(try properties.subscriptionIdentifier())
            case .topicAlias: topicAlias = try properties.uint16(notZero: .topicAliasZero)
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
    }

    func write(to sink: inout some ByteSink) {
        sink.property(.payloadFormatIndicator, payloadIsUTF8)
        sink.property(.messageExpiryInterval, messageExpiryInterval)
        sink.property(.contentType, contentType)
        sink.property(.responseTopic, responseTopic)
        sink.property(.correlationData, correlationData)
        for identifier in subscriptionIdentifiers { sink.subscriptionIdentifier(identifier) }
        sink.property(.topicAlias, topicAlias)
        sink.userProperties(userProperties)
    }
}
