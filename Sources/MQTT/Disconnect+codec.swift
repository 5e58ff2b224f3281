extension Disconnect {
    /// Without a code it is "normal disconnection"; without properties there are none (MQTT 5.0 §3.14.2.1, §3.14.2.2.1).
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        guard reader.version == .v5, !reader.isAtEnd else { return }
        reasonCode = try reader.reasonCode()
        if !reader.isAtEnd { properties = try Properties(from: &reader) }
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        guard version == .v5, reasonCode != .normalDisconnection || properties != Properties() else { return }
        sink.uint8(reasonCode.rawValue)
        if properties != Properties() { sink.properties(properties) }
    }
}

extension Disconnect.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .sessionExpiryInterval:
                guard properties.role == .server else { throw properties.violation(.sessionExpiryFromServer) }
                sessionExpiryInterval = try properties.uint32()
            case .reasonString: reasonString = try properties.string()
            case .serverReference: serverReference = try properties.string()
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
    }

    func write(to sink: inout some ByteSink) {
        sink.property(.sessionExpiryInterval, sessionExpiryInterval)
        sink.property(.serverReference, serverReference)
        sink.property(.reasonString, reasonString)
        sink.userProperties(userProperties)
    }
}

extension Auth {
    /// Nothing at all is "success" (MQTT 5.0 §3.15.2.1); with anything, the method is there (§3.15.2.2.2).
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init(reasonCode: .success)
        if reader.isAtEnd {
            guard ReasonCode.success.isAllowed(in: .auth, to: reader.role) else { throw reader.violation(.reasonCode) }
            return
        }
        reasonCode = try reader.reasonCode()
        properties = try Properties(from: &reader)
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        precondition(version == .v5, "3.1.1 has no AUTH")
        guard reasonCode != .success || properties != Properties() else { return }
        sink.uint8(reasonCode.rawValue)
        sink.properties(properties)
    }
}

extension Auth.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .authenticationMethod: authenticationMethod = try properties.string()
            case .authenticationData: authenticationData = try properties.binary()
            case .reasonString: reasonString = try properties.string()
            case .userProperty: userProperties.append(try properties.userProperty())
            default: throw properties.violation(.propertyNotAllowed)
            }
        }
        if authenticationMethod == nil { throw properties.violation(.authenticationMethodMissing) }
    }

    func write(to sink: inout some ByteSink) {
        sink.property(.authenticationMethod, authenticationMethod)
        sink.property(.authenticationData, authenticationData)
        sink.property(.reasonString, reasonString)
        sink.userProperties(userProperties)
    }
}
