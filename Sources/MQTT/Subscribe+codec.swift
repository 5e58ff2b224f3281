extension Subscribe {
    init(from reader: inout ByteReader) throws(MQTTError) {
        let packetID = try reader.packetID()
        let properties = reader.version == .v5 ? try Properties(from: &reader) : Properties()
        if reader.isAtEnd { throw reader.violation(.subscribeEmpty) }
        var subscriptions: [Subscription] = []
        while !reader.isAtEnd { subscriptions.append(try Subscription(from: &reader)) }
        self.init(packetID: packetID, subscriptions: subscriptions, properties: properties)
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(packetID != 0, "a packet identifier is not 0")
        sink.uint16(packetID)
        if version == .v5 { sink.properties(properties) }
        for subscription in subscriptions {
            sink.string(subscription.filter.text)
            sink.uint8(version == .v5 ? subscription.options : subscription.qos.rawValue)
        }
    }
}

extension Subscribe.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .subscriptionIdentifier: subscriptionIdentifier = try properties.subscriptionIdentifier()
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
    }

    func write(to sink: inout some ByteSink) {
        if let subscriptionIdentifier { sink.subscriptionIdentifier(subscriptionIdentifier) }
        sink.userProperties(userProperties)
    }
}

extension Subscription {
    private static let noLocalBit: UInt8 = 0x04
    private static let retainAsPublishedBit: UInt8 = 0x08
    /// Bits 7 and 6; in 3.1.1, whose options are the QoS alone, all but the lowest two.
    private static func reservedBits(in version: ProtocolVersion?) -> UInt8 { version == .v5 ? 0xC0 : 0xFC }

    init(from reader: inout ByteReader) throws(MQTTError) {
        let filter = try reader.topicFilter()
        let options = try reader.uint8()
        guard options & Self.reservedBits(in: reader.version) == 0 else { throw reader.violation(.subscriptionReservedBits) }
        guard let qos = QoS(rawValue: options & 0b11) else { throw reader.violation(.subscriptionQoS) }
        guard let retainHandling = RetainHandling(rawValue: options >> 4) else { throw reader.violation(.retainHandling) }
        let noLocal = options & Self.noLocalBit != 0
        if noLocal, filter.isShared { throw reader.violation(.sharedNoLocal) }
        self.init(
            filter, qos: qos, noLocal: noLocal, retainAsPublished: options & Self.retainAsPublishedBit != 0,
            retainHandling: retainHandling)
    }

    var options: UInt8 {
        qos.rawValue | (noLocal ? Self.noLocalBit : 0) | (retainAsPublished ? Self.retainAsPublishedBit : 0)
            | retainHandling.rawValue << 4
    }
}

extension Suback {
    init(from reader: inout ByteReader) throws(MQTTError) {
        let packetID = try reader.packetID()
        let properties = reader.version == .v5 ? try ReasonProperties(from: &reader) : ReasonProperties()
        if reader.isAtEnd { throw reader.violation(.reasonCodesEmpty) }
        var reasonCodes: [ReasonCode] = []
        while !reader.isAtEnd {
            let code = try reader.reasonCode()
            // 3.1.1 has one failure [MQTT-3.9.3-2].
            if reader.version == .v311, code.isError, code != .unspecifiedError { throw reader.violation(.reasonCode) }
            reasonCodes.append(code)
        }
        self.init(packetID: packetID, reasonCodes: reasonCodes, properties: properties)
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(packetID != 0, "a packet identifier is not 0")
        sink.uint16(packetID)
        if version == .v5 { sink.properties(properties) }
        for code in reasonCodes { sink.uint8(version == .v5 ? code.rawValue : code.subscribeReturnCode) }
    }
}

extension ByteReader {
    mutating func topicFilter() throws(MQTTError) -> TopicFilter {
        let text = try name()
        do {
            return try TopicFilter(checking: text, version: version ?? .v5)
        } catch {
            throw violation(error)
        }
    }
}
