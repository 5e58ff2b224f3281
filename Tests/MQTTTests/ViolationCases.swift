import MQTT

let subscriptionViolations: [ViolationCase] = [
    ViolationCase(
        "SUBSCRIBE with identifier 0", .v311, "82 06 0000 0001'a' 00", .subscribe, .packetIdentifierZero, "MQTT-2.3.1-1",
        .protocolError),
    ViolationCase("SUBSCRIBE to nothing", .v311, "82 02 0001", .subscribe, .subscribeEmpty, "MQTT-3.8.3-3", .protocolError),
    ViolationCase("SUBSCRIBE to nothing", .v5, "82 03 0001 00", .subscribe, .subscribeEmpty, "MQTT-3.8.3-2", .protocolError),
    ViolationCase("SUBSCRIBE without options", .v311, "82 05 0001 0001'a'", .subscribe, .packetTooShort, "§2.2.3"),
    ViolationCase("an empty filter", .v311, "82 05 0001 0000 00", .subscribe, .topicFilterEmpty, "MQTT-4.7.3-1"),
    ViolationCase("QoS 3", .v311, "82 06 0001 0001'a' 03", .subscribe, .subscriptionQoS, "MQTT-3-8.3-4", .protocolError),
    ViolationCase("QoS 3", .v5, "82 07 0001 00 0001'a' 03", .subscribe, .subscriptionQoS, "§3.8.3.1", .protocolError),
    ViolationCase("options of 5.0", .v311, "82 06 0001 0001'a' 05", .subscribe, .subscriptionReservedBits, "MQTT-3-8.3-4"),
    ViolationCase("reserved bit 6", .v5, "82 07 0001 00 0001'a' 40", .subscribe, .subscriptionReservedBits, "MQTT-3.8.3-5"),
    ViolationCase("reserved bit 7", .v5, "82 07 0001 00 0001'a' 80", .subscribe, .subscriptionReservedBits, "MQTT-3.8.3-5"),
    ViolationCase("Retain Handling 3", .v5, "82 07 0001 00 0001'a' 30", .subscribe, .retainHandling, "§3.8.3.1", .protocolError),
    ViolationCase(
        "No Local with a share", .v5, "82 10 0001 00 000A'$share/n/b' 04", .subscribe, .sharedNoLocal, "MQTT-3.8.3-4",
        .protocolError),
    ViolationCase(
        "a fault in the second filter", .v311, "82 0B 0001 0001'a' 00 0002'#a' 00", .subscribe, .multiLevelWildcard,
        "MQTT-4.7.1-2"),
    ViolationCase("# not last", .v5, "82 09 0001 00 0003'#/a' 00", .subscribe, .multiLevelWildcard, "MQTT-4.7.1-1"),
    ViolationCase("# behind other characters", .v5, "82 08 0001 00 0002'a#' 00", .subscribe, .multiLevelWildcard, "MQTT-4.7.1-1"),
    ViolationCase("+ behind other characters", .v311, "82 07 0001 0002'a+' 00", .subscribe, .singleLevelWildcard, "MQTT-4.7.1-3"),
    ViolationCase(
        "+ before other characters", .v5, "82 08 0001 00 0002'+a' 00", .subscribe, .singleLevelWildcard, "MQTT-4.7.1-2"),
    ViolationCase("a share without a name", .v5, "82 0F 0001 00 0009'$share//b' 00", .subscribe, .shareNameEmpty, "MQTT-4.8.2-1"),
    ViolationCase(
        "a share without a filter", .v5, "82 0F 0001 00 0009'$share/nn' 00", .subscribe, .shareNameSyntax, "MQTT-4.8.2-2"),
    ViolationCase(
        "a share with an empty filter", .v5, "82 0F 0001 00 0009'$share/n/' 00", .subscribe, .shareNameSyntax, "MQTT-4.8.2-2"),
    ViolationCase(
        "a wildcard for a share's name", .v5, "82 10 0001 00 000A'$share/+/b' 00", .subscribe, .shareNameSyntax, "MQTT-4.8.2-2"),
    ViolationCase("a null in the filter", .v311, "82 07 0001 0002'a'00 00", .subscribe, .stringNull, "MQTT-1.5.3-2"),
    ViolationCase("a control character in the filter", .v5, "82 08 0001 00 0002'a'01 00", .subscribe, .nameCharacters, "§1.5.4"),
    ViolationCase(
        "subscription identifier 0", .v5, "82 09 0001 02 0B 00 0001'a' 00", .subscribe, .subscriptionIdentifierZero, "§3.8.2.1.2",
        .protocolError),
    ViolationCase(
        "two subscription identifiers", .v5, "82 0B 0001 04 0B 01 0B 02 0001'a' 00", .subscribe, .propertyTwice, "§2.2.2.2",
        .protocolError),
    ViolationCase(
        "UNSUBSCRIBE from nothing", .v311, "A2 02 0001", .unsubscribe, .unsubscribeEmpty, "MQTT-3.10.3-2", .protocolError),
    ViolationCase(
        "UNSUBSCRIBE from nothing", .v5, "A2 03 0001 00", .unsubscribe, .unsubscribeEmpty, "MQTT-3.10.3-2", .protocolError),
    ViolationCase(
        "UNSUBSCRIBE with identifier 0", .v5, "A2 06 0000 00 0001'a'", .unsubscribe, .packetIdentifierZero, "MQTT-2.2.1-3",
        .protocolError),
    ViolationCase("UNSUBSCRIBE, + not alone", .v311, "A2 06 0001 0002'+a'", .unsubscribe, .singleLevelWildcard, "MQTT-4.7.1-3"),
    ViolationCase(
        "SUBACK for nothing", to: .client, .v311, "90 02 0001", .suback, .reasonCodesEmpty, "MQTT-3.8.4-5", .protocolError),
    ViolationCase(
        "SUBACK with identifier 0", to: .client, .v5, "90 04 0000 00 00", .suback, .packetIdentifierZero, "MQTT-2.2.1-3",
        .protocolError),
    ViolationCase("SUBACK with a code of 5.0", to: .client, .v311, "90 03 0001 87", .suback, .reasonCode, "§2.4", .protocolError),
    ViolationCase("SUBACK with QoS 3", to: .client, .v5, "90 04 0001 00 03", .suback, .reasonCode, "§2.4", .protocolError),
    ViolationCase("UNSUBACK with a code", to: .client, .v311, "B0 03 0001 00", .unsuback, .packetTooLong, "§2.2.3"),
    ViolationCase(
        "UNSUBACK for nothing", to: .client, .v5, "B0 03 0001 00", .unsuback, .reasonCodesEmpty, "MQTT-3.8.4-6", .protocolError),
    ViolationCase(
        "UNSUBACK with a code of SUBACK", to: .client, .v5, "B0 04 0001 00 01", .unsuback, .reasonCode, "§2.4", .protocolError),
]

let disconnectViolations: [ViolationCase] = [
    ViolationCase("DISCONNECT with a body", .v311, "E0 01 00", .disconnect, .packetTooLong, "§2.2.3"),
    ViolationCase("a server's code from a client", .v5, "E0 01 8E", .disconnect, .reasonCode, "§2.4", .protocolError),
    ViolationCase(
        "a client's code from a server", to: .client, .v5, "E0 01 04", .disconnect, .reasonCode, "§2.4", .protocolError),
    ViolationCase("an unknown code", .v5, "E0 01 01", .disconnect, .reasonCode, "§2.4", .protocolError),
    ViolationCase(
        "a session expiry from a server", to: .client, .v5, "E0 07 00 05 11 00000000", .disconnect, .sessionExpiryFromServer,
        "MQTT-3.14.2-2", .protocolError),
    ViolationCase("bytes behind the properties", .v5, "E0 03 00 00 00", .disconnect, .packetTooLong, "§2.1.4"),
    ViolationCase("AUTH, success from a client", .v5, "F0 00", .auth, .reasonCode, "§2.4", .protocolError),
    ViolationCase("AUTH, an unknown code", .v5, "F0 06 80 04 15 0001'm'", .auth, .reasonCode, "§2.4", .protocolError),
    ViolationCase(
        "AUTH, again from a server", to: .client, .v5, "F0 06 19 04 15 0001'm'", .auth, .reasonCode, "§2.4", .protocolError),
    ViolationCase("AUTH without properties", .v5, "F0 01 18", .auth, .packetTooShort, "§2.1.4"),
    ViolationCase(
        "AUTH without a method", .v5, "F0 02 18 00", .auth, .authenticationMethodMissing, "§3.15.2.2.2", .protocolError),
]

/// A CONNECT of 5.0 that has these properties alone.
private func connect(_ properties: String) -> String {
    let count = bytes(properties).count
    return notation([0x10, UInt8(13 + count)] + bytes("0004'MQTT' 05 02 0000") + [UInt8(count)] + bytes(properties) + [0, 0])
}

private func connectViolation(
    _ name: String, _ properties: String, _ rule: Rule, _ statement: String, _ reasonCode: ReasonCode = .malformedPacket
) -> ViolationCase {
    ViolationCase(name, nil, told: .v5, connect(properties), .connect, rule, statement, reasonCode)
}

let propertyViolations: [ViolationCase] = [
    connectViolation("Receive Maximum 0", "21 0000", .receiveMaximumZero, "§3.1.2.11.3", .protocolError),
    connectViolation("Maximum Packet Size 0", "27 00000000", .maximumPacketSizeZero, "§3.1.2.11.4", .protocolError),
    connectViolation("Request Problem Information 2", "17 02", .propertyBoolean, "§2.2.2.2", .protocolError),
    connectViolation("Request Response Information 255", "19 FF", .propertyBoolean, "§2.2.2.2", .protocolError),
    connectViolation("data without a method", "16 0001 00", .authenticationDataAlone, "§3.1.2.11.10", .protocolError),
    connectViolation("twice", "21 0001 21 0001", .propertyTwice, "§2.2.2.2", .protocolError),
    connectViolation("an unknown identifier", "7F 00", .propertyNotAllowed, "§2.2.2.2"),
    connectViolation("identifier 0", "00", .propertyNotAllowed, "§2.2.2.2"),
    connectViolation("an identifier of two bytes", "8101 00", .propertyNotAllowed, "§2.2.2.2"),
    connectViolation("an identifier longer than necessary", "9100 00000000", .variableByteIntegerMinimal, "MQTT-1.5.5-1"),
    connectViolation("a value past the properties", "11 000000", .propertyLength, "§2.2.2.1"),
    connectViolation("a string past the properties", "15 0002'm'", .propertyLength, "§2.2.2.1"),
    connectViolation("half a pair", "26 0001'k'", .propertyLength, "§2.2.2.1"),
    connectViolation("a name that is no UTF-8", "26 0001 80 0000", .stringUTF8, "MQTT-1.5.4-1"),
    connectViolation("a null in a value", "26 0000 0001 00", .stringNull, "MQTT-1.5.4-2"),
    ViolationCase(
        "a property length past the packet", nil, told: .v5, "10 0D 0004'MQTT' 05 02 0000 03 0000", .connect, .propertyLength,
        "§2.2.2.1"),
    ViolationCase(
        "a property length of five bytes", .v5, "30 08 0001'a' 8080808001", .publish, .variableByteIntegerLength, "§1.5.5"),
    ViolationCase(
        "a property length longer than necessary", .v5, "30 05 0001'a' 8000", .publish, .variableByteIntegerMinimal,
        "MQTT-1.5.5-1"),
    ViolationCase(
        "Payload Format Indicator 2", .v5, "30 06 0001'a' 02 01 02", .publish, .propertyBoolean, "§2.2.2.2", .protocolError),
    ViolationCase(
        "subscription identifier 0 from a server", to: .client, .v5, "30 06 0001'a' 02 0B 00", .publish,
        .subscriptionIdentifierZero,
        "§3.8.2.1.2", .protocolError),
    ViolationCase(
        "Receive Maximum 0 from a server", to: .client, .v5, "20 06 00 00 03 21 0000", .connack, .receiveMaximumZero,
        "§3.1.2.11.3",
        .protocolError),
]
