extension Connack {
    init(from reader: inout ByteReader) throws(MQTTError) {
        let flags = try reader.uint8()
        guard flags & 0xFE == 0 else { throw reader.violation(.connackReservedFlags) }
        let sessionPresent = flags == 1
        let reasonCode = try Self.reasonCode(from: &reader)
        if sessionPresent, reasonCode != .success { throw reader.violation(.sessionPresentWithError) }
        self.init(
            sessionPresent: sessionPresent, reasonCode: reasonCode,
            properties: reader.version == .v5 ? try Properties(from: &reader) : Properties())
    }

    private static func reasonCode(from reader: inout ByteReader) throws(MQTTError) -> ReasonCode {
        if reader.version == .v5 { return try reader.reasonCode() }
        guard let reasonCode = ReasonCode(connectReturnCode: try reader.uint8()) else { throw reader.violation(.reasonCode) }
        return reasonCode
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.uint8(sessionPresent ? 1 : 0)
        sink.uint8(version == .v5 ? reasonCode.rawValue : reasonCode.connectReturnCode)
        if version == .v5 { sink.properties(properties) }
    }
}

extension Connack.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .sessionExpiryInterval: sessionExpiryInterval = try properties.uint32()
            case .receiveMaximum: receiveMaximum = try properties.uint16(notZero: .receiveMaximumZero)
            case .maximumQoS: maximumQoS = try properties.boolean(orElse: .maximumQoS) ? .atLeastOnce : .atMostOnce
            case .retainAvailable: retainAvailable = try properties.boolean()
            case .maximumPacketSize: maximumPacketSize = try properties.uint32(notZero: .maximumPacketSizeZero)
            case .assignedClientIdentifier: assignedClientIdentifier = try properties.string()
            case .topicAliasMaximum: topicAliasMaximum = try properties.uint16()
            case .reasonString: reasonString = try properties.string()
            case .wildcardSubscriptionAvailable: wildcardSubscriptionAvailable = try properties.boolean()
            case .subscriptionIdentifiersAvailable: subscriptionIdentifiersAvailable = try properties.boolean()
            case .sharedSubscriptionAvailable: sharedSubscriptionAvailable = try properties.boolean()
            case .serverKeepAlive: serverKeepAlive = try properties.uint16()
            case .responseInformation: responseInformation = try properties.string()
            case .serverReference: serverReference = try properties.string()
            case .authenticationMethod: authenticationMethod = try properties.string()
            case .authenticationData: authenticationData = try properties.binary()
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
        if authenticationData != nil, authenticationMethod == nil { throw properties.violation(.authenticationDataAlone) }
    }

    func write(to sink: inout some ByteSink) {
        sink.property(.sessionExpiryInterval, sessionExpiryInterval)
        sink.property(.assignedClientIdentifier, assignedClientIdentifier)
        sink.property(.serverKeepAlive, serverKeepAlive)
        sink.property(.authenticationMethod, authenticationMethod)
        sink.property(.authenticationData, authenticationData)
        sink.property(.responseInformation, responseInformation)
        sink.property(.serverReference, serverReference)
        sink.property(.reasonString, reasonString)
        sink.property(.receiveMaximum, receiveMaximum)
        sink.property(.topicAliasMaximum, topicAliasMaximum)
        sink.property(.maximumQoS, maximumQoS?.rawValue)
        sink.property(.retainAvailable, retainAvailable)
        sink.property(.maximumPacketSize, maximumPacketSize)
        sink.property(.wildcardSubscriptionAvailable, wildcardSubscriptionAvailable)
        sink.property(.subscriptionIdentifiersAvailable, subscriptionIdentifiersAvailable)
        sink.property(.sharedSubscriptionAvailable, sharedSubscriptionAvailable)
        sink.userProperties(userProperties)
    }
}
