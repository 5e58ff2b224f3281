import MQTT
import Testing

@Suite("What is refused")
struct ViolationTests {
    @Test(
        "a packet that breaks a rule is refused with it, however it arrives",
        arguments: headerViolations + connectViolations + connackViolations + publishViolations + acknowledgementViolations
            + subscriptionViolations + disconnectViolations + propertyViolations)
    func refused(_ test: ViolationCase) {
        verify(bytes(test.encoded), breaks: test.error, role: test.receiver, version: test.version)
        #expect(test.error.reasonCode == test.reasonCode)
        guard case .violation(let rule, _, let version) = test.error else { return }
        #expect(rule.statement(in: version) == test.statement)
    }

    @Test("no packet may end before its fields do", arguments: packetCases)
    func tooShort(_ test: PacketCase) {
        let whole = bytes(test.encoded)
        let header = whole[1] & 0x80 == 0 ? 2 : 3
        for count in 0..<(whole.count - header) where !test.packet.mayEnd(after: count, of: whole.count - header) {
            let length: [UInt8] = count < 128 ? [UInt8(count)] : [UInt8(count & 0x7F | 0x80), UInt8(count >> 7)]
            let front = [whole[0]] + length + whole[header..<header + count]
            var decoder = PacketDecoder(role: test.receiver, version: test.version)
            var consumed = 0
            #expect(throws: MQTTError.self, "\(count) bytes") { try decoder.decode(front.span.bytes, consumed: &consumed) }
        }
    }

    @Test("no packet but a list goes on behind its fields", arguments: packetCases)
    func tooLong(_ test: PacketCase) {
        let whole = bytes(test.encoded)
        guard whole[1] < 0x7F, !test.packet.isOpenEnded else { return }
        let long = [whole[0], whole[1] + 1] + whole[2...] + [0x01]
        var decoder = PacketDecoder(role: test.receiver, version: test.version)
        var consumed = 0
        #expect(throws: MQTTError.self) { try decoder.decode(long.span.bytes, consumed: &consumed) }
    }

    @Test("a description names the packet, the rule and the code")
    func description() {
        let error = MQTTError.violation(.topicAliasZero, packet: .publish, version: .v5)
        #expect(error.description == "PUBLISH: Topic Alias is 0 [MQTT-3.3.2-8], 0x94")
    }
}

extension Packet {
    /// Whether the packet ends with as much of something as there is.
    fileprivate var isOpenEnded: Bool {
        switch self {
        case .publish, .suback, .unsuback: true
        default: false
        }
    }

    /// Whether the first `count` of all `total` bytes behind the header are a packet too.
    fileprivate func mayEnd(after count: Int, of total: Int) -> Bool {
        switch self {
        case .publish(let publish): count >= total - publish.payload.count
        case .suback(let suback): count > total - suback.reasonCodes.count
        case .unsuback(let unsuback): count > total - unsuback.reasonCodes.count
        case .subscribe(let subscribe): subscribe.subscriptions.count > 1
        case .unsubscribe(let unsubscribe): unsubscribe.filters.count > 1
        case .puback, .pubrec, .pubrel, .pubcomp: count == 2 || count == 3
        case .disconnect: count == 0 || count == 1
        case .auth, .connect, .connack, .pingreq, .pingresp: false
        }
    }
}

let headerViolations: [ViolationCase] = [
    ViolationCase("type 0", .v311, "00 00", nil, .reservedPacketType, "§2.2.1"),
    ViolationCase("type 0", .v5, "00 00", nil, .reservedPacketType, "§2.1.2"),
    ViolationCase("type 0", nil, "00 00", nil, .reservedPacketType, "§2.1.2"),
    ViolationCase("AUTH", .v311, "F0 00", nil, .reservedPacketType, "§2.2.1"),
    ViolationCase("CONNACK to a server", .v5, "20 03 00 00 00", .connack, .packetDirection, "§2.1.2", .protocolError),
    ViolationCase("SUBACK to a server", .v311, "90 03 0001 00", .suback, .packetDirection, "§2.2.1", .protocolError),
    ViolationCase("UNSUBACK to a server", .v311, "B0 02 0001", .unsuback, .packetDirection, "§2.2.1", .protocolError),
    ViolationCase("PINGRESP to a server", .v5, "D0 00", .pingresp, .packetDirection, "§2.1.2", .protocolError),
    ViolationCase("CONNECT to a client", to: .client, .v5, "10 00", .connect, .packetDirection, "§2.1.2", .protocolError),
    ViolationCase("SUBSCRIBE to a client", to: .client, .v5, "82 00", .subscribe, .packetDirection, "§2.1.2", .protocolError),
    ViolationCase("UNSUBSCRIBE to a client", to: .client, .v5, "A2 00", .unsubscribe, .packetDirection, "§2.1.2", .protocolError),
    ViolationCase("PINGREQ to a client", to: .client, .v311, "C0 00", .pingreq, .packetDirection, "§2.2.1", .protocolError),
    ViolationCase("DISCONNECT to a client", to: .client, .v311, "E0 00", .disconnect, .packetDirection, "§2.2.1", .protocolError),
    ViolationCase("CONNECT with flags", nil, "11 00", .connect, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("CONNACK with flags", to: .client, .v311, "21 02 0000", .connack, .reservedFlags, "MQTT-2.2.2-2"),
    ViolationCase("PUBACK with flags", .v311, "42 02 0001", .puback, .reservedFlags, "MQTT-2.2.2-2"),
    ViolationCase("PUBREC with flags", .v5, "52 02 0001", .pubrec, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("PUBREL without its flag", .v5, "60 02 0001", .pubrel, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("PUBREL with more flags", .v311, "63 02 0001", .pubrel, .reservedFlags, "MQTT-2.2.2-2"),
    ViolationCase("PUBCOMP with flags", .v5, "72 02 0001", .pubcomp, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("SUBSCRIBE without its flag", .v311, "80 06 0001 0001'a' 00", .subscribe, .reservedFlags, "MQTT-2.2.2-2"),
    ViolationCase("SUBACK with flags", to: .client, .v5, "92 04 0001 00 00", .suback, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("UNSUBSCRIBE without its flag", .v5, "A0 06 0001 00 0001'a'", .unsubscribe, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("UNSUBACK with flags", to: .client, .v311, "B2 02 0001", .unsuback, .reservedFlags, "MQTT-2.2.2-2"),
    ViolationCase("PINGREQ with flags", .v5, "C1 00", .pingreq, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("PINGRESP with flags", to: .client, .v5, "D8 00", .pingresp, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("DISCONNECT with flags", .v5, "E2 00", .disconnect, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("AUTH with flags", .v5, "F1 00", .auth, .reservedFlags, "MQTT-2.1.3-1"),
    ViolationCase("a length of five bytes", .v311, "C0 80 80 80 80", .pingreq, .variableByteIntegerLength, "§2.2.3"),
    ViolationCase("a length of five bytes", nil, "10 FF FF FF FF", .connect, .variableByteIntegerLength, "§1.5.5"),
    ViolationCase("a length longer than necessary", .v5, "C0 80 00", .pingreq, .variableByteIntegerMinimal, "MQTT-1.5.5-1"),
    ViolationCase("PINGREQ with a body", .v311, "C0 01 00", .pingreq, .packetTooLong, "§2.2.3"),
    ViolationCase("PINGRESP with a body", to: .client, .v5, "D0 01 00", .pingresp, .packetTooLong, "§2.1.4"),
]

let connectViolations: [ViolationCase] = [
    ViolationCase("no protocol name", nil, "10 00", .connect, .packetTooShort, "§2.1.4"),
    ViolationCase(
        "another protocol", nil, "10 0C 0004'HTTP' 04 02 0000 0000", .connect, .protocolName, "MQTT-3.1.2-1",
        .unsupportedProtocolVersion),
    ViolationCase(
        "mqtt in small letters", nil, "10 0C 0004'mqtt' 04 02 0000 0000", .connect, .protocolName, "MQTT-3.1.2-1",
        .unsupportedProtocolVersion),
    ViolationCase(
        "a second CONNECT in another version", .v5, "10 0C 0004'MQTT' 04 02 0000 0000", .connect, .secondConnect, "MQTT-3.1.0-2",
        .protocolError),
    ViolationCase(
        "a second CONNECT in an unknown version", .v311, "10 0C 0004'MQTT' 07 02 0000 0000", .connect, .secondConnect,
        "MQTT-3.1.0-2", .protocolError),
    ViolationCase(
        "a length longer than necessary", nil, told: .v5, "10 8D 00 0004'MQTT' 05 02 0000 00 0000", .connect,
        .variableByteIntegerMinimal, "MQTT-1.5.5-1"),
    ViolationCase(
        "the reserved flag", nil, told: .v311, "10 0C 0004'MQTT' 04 03 0000 0000", .connect, .connectReservedFlag,
        "MQTT-3.1.2-3"),
    ViolationCase(
        "the reserved flag", nil, told: .v5, "10 0D 0004'MQTT' 05 01 0000 00 0000", .connect, .connectReservedFlag,
        "MQTT-3.1.2-3"),
    ViolationCase(
        "Will QoS without a will", nil, told: .v311, "10 0C 0004'MQTT' 04 0A 0000 0000", .connect, .willQoSWithoutWill,
        "MQTT-3.1.2-13"),
    ViolationCase(
        "Will QoS without a will", nil, told: .v5, "10 0D 0004'MQTT' 05 18 0000 00 0000", .connect, .willQoSWithoutWill,
        "MQTT-3.1.2-11"),
    ViolationCase(
        "Will QoS 3", nil, told: .v311, "10 12 0004'MQTT' 04 1E 0000 0000 0001't' 0001'm'", .connect, .willQoS, "MQTT-3.1.2-14"),
    ViolationCase(
        "Will QoS 3", nil, told: .v5, "10 14 0004'MQTT' 05 1E 0000 00 0000 00 0001't' 0001'm'", .connect, .willQoS,
        "MQTT-3.1.2-12"),
    ViolationCase(
        "Will Retain without a will", nil, told: .v311, "10 0C 0004'MQTT' 04 22 0000 0000", .connect, .willRetainWithoutWill,
        "MQTT-3.1.2-15"),
    ViolationCase(
        "Will Retain without a will", nil, told: .v5, "10 0D 0004'MQTT' 05 22 0000 00 0000", .connect, .willRetainWithoutWill,
        "MQTT-3.1.2-13"),
    ViolationCase(
        "a password without a user name", nil, told: .v311, "10 0F 0004'MQTT' 04 42 0000 0000 0001'p'", .connect,
        .passwordWithoutUserName, "MQTT-3.1.2-22"),
    ViolationCase(
        "a will without a topic", nil, told: .v311, "10 11 0004'MQTT' 04 06 0000 0000 0000 0001'm'", .connect, .willTopicEmpty,
        "MQTT-4.7.3-1"),
    ViolationCase(
        "a wildcard in the will's topic", nil, told: .v311, "10 14 0004'MQTT' 04 06 0000 0000 0003'a/#' 0001'm'", .connect,
        .willTopicWildcard, "MQTT-4.7.1-1"),
    ViolationCase(
        "a wildcard in the will's topic", nil, told: .v5, "10 14 0004'MQTT' 05 06 0000 00 0000 00 0001'+' 0001'm'", .connect,
        .willTopicWildcard, "MQTT-4.7.0-1"),
    ViolationCase("no user name", nil, told: .v311, "10 0C 0004'MQTT' 04 82 0000 0000", .connect, .packetTooShort, "§2.2.3"),
    ViolationCase(
        "no password", nil, told: .v311, "10 0F 0004'MQTT' 04 C2 0000 0000 0001'u'", .connect, .packetTooShort, "§2.2.3"),
    ViolationCase(
        "a password longer than the packet", nil, told: .v311, "10 12 0004'MQTT' 04 C2 0000 0000 0001'u' 0002'p'", .connect,
        .packetTooShort, "§2.2.3"),
    ViolationCase(
        "a user name that no flag tells of", nil, told: .v311, "10 0F 0004'MQTT' 04 02 0000 0000 0001'u'", .connect,
        .packetTooLong,
        "§2.2.3"),
    ViolationCase(
        "a client identifier that is no UTF-8", nil, told: .v311, "10 0D 0004'MQTT' 04 02 0000 0001 FF", .connect, .stringUTF8,
        "MQTT-1.5.3-1"),
    ViolationCase(
        "a null in the client identifier", nil, told: .v5, "10 0F 0004'MQTT' 05 02 0000 00 0002'a'00", .connect, .stringNull,
        "MQTT-1.5.4-2"),
    ViolationCase(
        "a line break in the user name", nil, told: .v5, "10 11 0004'MQTT' 05 82 0000 00 0000 0002'u'0A", .connect,
        .nameCharacters,
        "§1.5.4"),
]

let connackViolations: [ViolationCase] = [
    ViolationCase("reserved flags", to: .client, .v311, "20 02 02 00", .connack, .connackReservedFlags, "§3.2.2.1"),
    ViolationCase("reserved flags", to: .client, .v5, "20 03 80 00 00", .connack, .connackReservedFlags, "MQTT-3.2.2-1"),
    ViolationCase(
        "a refusal with a session", to: .client, .v311, "20 02 01 05", .connack, .sessionPresentWithError, "MQTT-3.2.2-4",
        .protocolError),
    ViolationCase(
        "a refusal with a session", to: .client, .v5, "20 03 01 87 00", .connack, .sessionPresentWithError, "MQTT-3.2.2-6",
        .protocolError),
    ViolationCase("a reserved return code", to: .client, .v311, "20 02 00 06", .connack, .reasonCode, "§2.4", .protocolError),
    ViolationCase("a code of 3.1.1", to: .client, .v5, "20 03 00 05 00", .connack, .reasonCode, "§2.4", .protocolError),
    ViolationCase("a code of DISCONNECT", to: .client, .v5, "20 03 00 8E 00", .connack, .reasonCode, "§2.4", .protocolError),
    ViolationCase("properties", to: .client, .v311, "20 03 00 00 00", .connack, .packetTooLong, "§2.2.3"),
    ViolationCase("no properties", to: .client, .v5, "20 02 00 00", .connack, .packetTooShort, "§2.1.4"),
    ViolationCase("Maximum QoS 2", to: .client, .v5, "20 05 00 00 02 24 02", .connack, .maximumQoS, "§3.2.2.3.4", .protocolError),
]

let publishViolations: [ViolationCase] = [
    ViolationCase("QoS 3", .v311, "36 05 0001'a' 0001", .publish, .publishQoS, "MQTT-3.3.1-4"),
    ViolationCase("QoS 3", .v5, "3E 06 0001'a' 0001 00", .publish, .publishQoS, "MQTT-3.3.1-4"),
    ViolationCase("DUP at QoS 0", .v311, "38 03 0001'a'", .publish, .duplicateAtQoS0, "MQTT-3.3.1-2"),
    ViolationCase("DUP at QoS 0, retained", to: .client, .v5, "39 04 0001'a' 00", .publish, .duplicateAtQoS0, "MQTT-3.3.1-2"),
    ViolationCase(
        "packet identifier 0", .v311, "32 05 0001'a' 0000", .publish, .packetIdentifierZero, "MQTT-2.3.1-1", .protocolError),
    ViolationCase(
        "packet identifier 0", .v5, "34 06 0001'a' 0000 00", .publish, .packetIdentifierZero, "MQTT-2.2.1-3", .protocolError),
    ViolationCase("no topic", .v311, "30 00", .publish, .packetTooShort, "§2.2.3"),
    ViolationCase("an empty topic", .v311, "30 02 0000", .publish, .topicNameEmpty, "MQTT-4.7.3-1", .protocolError),
    ViolationCase("an empty topic without an alias", .v5, "30 03 0000 00", .publish, .topicNameEmpty, "§3.3.2.1", .protocolError),
    ViolationCase("# in the topic", .v311, "30 05 0003'a/#'", .publish, .topicNameWildcard, "MQTT-3.3.2-2"),
    ViolationCase("+ in the topic", .v5, "30 06 0003'a+b' 00", .publish, .topicNameWildcard, "MQTT-3.3.2-2"),
    ViolationCase("a lone byte of UTF-8", .v311, "30 03 0001 C3", .publish, .stringUTF8, "MQTT-1.5.3-1"),
    ViolationCase("a surrogate", .v5, "30 06 0003 EDA080 00", .publish, .stringUTF8, "MQTT-1.5.4-1"),
    ViolationCase("an overlong form", .v5, "30 05 0002 C0AF 00", .publish, .stringUTF8, "MQTT-1.5.4-1"),
    ViolationCase("beyond Unicode", .v5, "30 07 0004 F4908080 00", .publish, .stringUTF8, "MQTT-1.5.4-1"),
    ViolationCase("a null in the topic", .v311, "30 05 0003'a'00'b'", .publish, .stringNull, "MQTT-1.5.3-2"),
    ViolationCase("a control character in the topic", .v311, "30 05 0003'a'1F'b'", .publish, .nameCharacters, "§1.5.3"),
    ViolationCase("U+009F in the topic", .v5, "30 05 0002 C29F 00", .publish, .nameCharacters, "§1.5.4"),
    ViolationCase("a noncharacter in the topic", .v5, "30 06 0003 EFBFBF 00", .publish, .nameCharacters, "§1.5.4"),
    ViolationCase("a topic longer than the packet", .v311, "30 04 0003'ab'", .publish, .packetTooShort, "§2.2.3"),
    ViolationCase("no property length", .v5, "30 03 0001'a'", .publish, .packetTooShort, "§2.1.4"),
    ViolationCase(
        "a subscription identifier from a client", .v5, "30 06 0001'a' 02 0B 01", .publish, .subscriptionIdentifierFromClient,
        "MQTT-3.3.4-6", .protocolError),
    ViolationCase(
        "topic alias 0", .v5, "30 07 0001'a' 03 23 0000", .publish, .topicAliasZero, "MQTT-3.3.2-8", .topicAliasInvalid),
    ViolationCase(
        "a wildcard in the response topic", .v5, "30 08 0001'a' 04 08 0001'#'", .publish, .responseTopic, "MQTT-3.3.2-14",
        .protocolError),
]

let acknowledgementViolations: [ViolationCase] = [
    ViolationCase(
        "PUBACK with identifier 0", .v311, "40 02 0000", .puback, .packetIdentifierZero, "MQTT-2.3.1-1", .protocolError),
    ViolationCase("PUBREC with identifier 0", .v5, "50 02 0000", .pubrec, .packetIdentifierZero, "MQTT-2.2.1-3", .protocolError),
    ViolationCase("PUBREL with identifier 0", .v5, "62 02 0000", .pubrel, .packetIdentifierZero, "MQTT-2.2.1-3", .protocolError),
    ViolationCase(
        "PUBCOMP with identifier 0", .v311, "70 02 0000", .pubcomp, .packetIdentifierZero, "MQTT-2.3.1-1", .protocolError),
    ViolationCase("PUBACK of nothing", .v311, "40 00", .puback, .packetTooShort, "§2.2.3"),
    ViolationCase("PUBACK of half an identifier", .v5, "40 01 00", .puback, .packetTooShort, "§2.1.4"),
    ViolationCase("PUBACK with a code", .v311, "40 03 0001 00", .puback, .packetTooLong, "§2.2.3"),
    ViolationCase("PUBACK with a code of PUBREL", .v5, "40 03 0001 92", .puback, .reasonCode, "§2.4", .protocolError),
    ViolationCase("PUBACK with an unknown code", .v5, "40 03 0001 7F", .puback, .reasonCode, "§2.4", .protocolError),
    ViolationCase("PUBREC with a code of SUBACK", .v5, "50 03 0001 01", .pubrec, .reasonCode, "§2.4", .protocolError),
    ViolationCase("PUBREL with a code of PUBACK", .v5, "62 03 0001 10", .pubrel, .reasonCode, "§2.4", .protocolError),
    ViolationCase("PUBCOMP with a code of PUBACK", .v5, "70 03 0001 80", .pubcomp, .reasonCode, "§2.4", .protocolError),
    ViolationCase("PUBACK with bytes behind its properties", .v5, "40 05 0001 00 00 00", .puback, .packetTooLong, "§2.1.4"),
    ViolationCase("PUBACK with properties past its end", .v5, "40 04 0001 00 01", .puback, .propertyLength, "§2.2.2.1"),
]
