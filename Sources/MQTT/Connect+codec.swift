/// The connect flags (MQTT 5.0 §3.1.2.3).
private struct ConnectFlags {
    static let reserved: UInt8 = 0x01
    static let cleanStart: UInt8 = 0x02
    static let will: UInt8 = 0x04
    static let willRetain: UInt8 = 0x20
    static let password: UInt8 = 0x40
    static let userName: UInt8 = 0x80

    let rawValue: UInt8
    let willQoS: QoS

    init(_ rawValue: UInt8, version: ProtocolVersion, _ reader: borrowing ByteReader) throws(MQTTError) {
        self.rawValue = rawValue
        if rawValue & Self.reserved != 0 { throw reader.violation(.connectReservedFlag) }
        let qos = rawValue >> 3 & 0b11
        if rawValue & Self.will == 0 {
            if qos != 0 { throw reader.violation(.willQoSWithoutWill) }
            if rawValue & Self.willRetain != 0 { throw reader.violation(.willRetainWithoutWill) }
        }
        guard let willQoS = QoS(rawValue: qos) else { throw reader.violation(.willQoS) }
        self.willQoS = willQoS
        if version == .v311, has(Self.password), !has(Self.userName) { throw reader.violation(.passwordWithoutUserName) }
    }

    func has(_ flag: UInt8) -> Bool { rawValue & flag != 0 }
}

extension Connect {
    init(from reader: inout ByteReader, header: FixedHeader) throws(MQTTError) {
        let version = try Self.version(from: &reader)
        if version == .v5, !header.isMinimal { throw reader.violation(.variableByteIntegerMinimal) }
        let flags = try ConnectFlags(try reader.uint8(), version: version, reader)
        let keepAlive = try reader.uint16()
        let properties = version == .v5 ? try Properties(from: &reader) : Properties()
        let clientIdentifier = try reader.name()
        let will = flags.has(ConnectFlags.will) ? try Will(from: &reader, flags: flags, version: version) : nil
        self.init(
            version: version, clientIdentifier: clientIdentifier, cleanStart: flags.has(ConnectFlags.cleanStart),
            keepAlive: keepAlive, will: will, userName: flags.has(ConnectFlags.userName) ? try reader.name() : nil,
            password: flags.has(ConnectFlags.password) ? try reader.binary() : nil, properties: properties)
    }

    /// Protocol name and level. What they ask for is the reader's version from here on.
    private static func version(from reader: inout ByteReader) throws(MQTTError) -> ProtocolVersion {
        let name = try reader.string()
        guard name == "MQTT" || name == "MQIsdp" else { throw reader.violation(.protocolName) }
        let level = try reader.uint8()
        let version = name == "MQTT" ? ProtocolVersion(rawValue: level) : nil
        if let established = reader.version {
            guard version == established else { throw reader.violation(.secondConnect) }
            return established
        }
        guard let version else { throw .unsupportedVersion(UnsupportedVersion(protocolName: name, level: level)) }
        reader.version = version
        return version
    }

    func write(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.string("MQTT")
        sink.uint8(version.rawValue)
        sink.uint8(flags)
        sink.uint16(keepAlive)
        if version == .v5 { sink.properties(properties) }
        sink.string(clientIdentifier)
        if let will {
            if version == .v5 { sink.properties(will.properties) }
            sink.string(will.topic)
            sink.binary(will.payload)
        }
        if let userName { sink.string(userName) }
        if let password { sink.binary(password) }
    }

    private var flags: UInt8 {
        var flags: UInt8 = cleanStart ? ConnectFlags.cleanStart : 0
        if let will {
            flags |= ConnectFlags.will | will.qos.rawValue << 3
            if will.retain { flags |= ConnectFlags.willRetain }
        }
        if userName != nil { flags |= ConnectFlags.userName }
        if password != nil { flags |= ConnectFlags.password }
        return flags
    }
}

extension Connect.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .sessionExpiryInterval: sessionExpiryInterval = try properties.uint32()
            case .receiveMaximum: receiveMaximum = try properties.uint16(notZero: .receiveMaximumZero)
            case .maximumPacketSize: maximumPacketSize = try properties.uint32(notZero: .maximumPacketSizeZero)
            case .topicAliasMaximum: topicAliasMaximum = try properties.uint16()
            case .requestResponseInformation: requestResponseInformation = try properties.boolean()
            case .requestProblemInformation: requestProblemInformation = try properties.boolean()
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
        sink.property(.authenticationMethod, authenticationMethod)
        sink.property(.authenticationData, authenticationData)
        sink.property(.requestProblemInformation, requestProblemInformation)
        sink.property(.requestResponseInformation, requestResponseInformation)
        sink.property(.receiveMaximum, receiveMaximum)
        sink.property(.topicAliasMaximum, topicAliasMaximum)
        sink.property(.maximumPacketSize, maximumPacketSize)
        sink.userProperties(userProperties)
    }
}

extension Will {
    fileprivate init(from reader: inout ByteReader, flags: ConnectFlags, version: ProtocolVersion) throws(MQTTError) {
        let properties = version == .v5 ? try Properties(from: &reader) : Properties()
        let topic = try reader.name()
        switch TopicName.fault(of: topic) {
        case .empty: throw reader.violation(.willTopicEmpty)
        case .wildcard: throw reader.violation(.willTopicWildcard)
        case nil: break
        }
        self.init(
            topic: topic, payload: try reader.binary(), qos: flags.willQoS, retain: flags.has(ConnectFlags.willRetain),
            properties: properties)
    }
}

extension Will.Properties: PropertySet {
    init(from reader: inout ByteReader) throws(MQTTError) {
        self.init()
        var properties = try PropertyReader(&reader)
        while let identifier = try properties.next() {
            switch identifier {
            case .willDelayInterval: willDelayInterval = try properties.uint32()
            case .payloadFormatIndicator: payloadIsUTF8 = try properties.boolean()
            case .messageExpiryInterval: messageExpiryInterval = try properties.uint32()
            case .contentType: contentType = try properties.string()
            case .responseTopic: responseTopic = try properties.responseTopic()
            case .correlationData: correlationData = try properties.binary()
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
        sink.property(.willDelayInterval, willDelayInterval)
        sink.userProperties(userProperties)
    }
}
