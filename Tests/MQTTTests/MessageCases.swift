import MQTT

let publishCases: [PacketCase] = [
    PacketCase(
        "PUBLISH at QoS 0", to: .server, .v311, "30 07 0003'a/b' 'hi'", .publish(Publish(topic: "a/b", payload: Array("hi".utf8)))
    ),
    PacketCase(
        "PUBLISH of nothing, retained", to: .client, .v311, "31 03 0001'a'",
        .publish(Publish(topic: "a", payload: [], retain: true))),
    PacketCase(
        "PUBLISH at QoS 1", to: .client, .v311, "32 06 0001'a' 1234 'x'",
        .publish(Publish(topic: "a", payload: [0x78], qos: .atLeastOnce, packetID: 0x1234))),
    PacketCase(
        "PUBLISH at QoS 2, again and retained", to: .server, .v311, "3D 05 0001'a' FFFF",
        .publish(Publish(topic: "a", payload: [], qos: .exactlyOnce, packetID: 0xFFFF, isDuplicate: true, retain: true))),
    PacketCase(
        "PUBLISH with a long body", to: .server, .v311, "30 C801 0001'a'" + String(repeating: "7F", count: 197),
        .publish(Publish(topic: "a", payload: Array(repeating: 0x7F, count: 197)))),
    PacketCase(
        "PUBLISH with a byte order mark in its topic", to: .server, .v311, "30 06 0004 EFBBBF'a'",
        .publish(Publish(topic: "\u{FEFF}a", payload: []))),
    PacketCase(
        "PUBLISH at QoS 0", to: .server, .v5, "30 06 0001'a' 00 'hi'", .publish(Publish(topic: "a", payload: Array("hi".utf8)))),
    PacketCase(
        "PUBLISH with an alias in place of its topic", to: .server, .v5, "32 08 0000 0001 03 23 0001",
        .publish(
            Publish(
                topic: "", payload: [], qos: .atLeastOnce, packetID: 1,
                properties: with(Publish.Properties()) { $0.topicAlias = 1 }))),
    PacketCase(
        "PUBLISH with all properties", to: .client, .v5,
        "32 31 0001'a' 0007 2A 01 01 02 00000E10 03 0004'text' 08 0003'r/t' 09 0002 0102 0B 01 0B FFFFFF7F 23 FFFF"
            + "26 0001'k' 0001'v' 'x'",
        .publish(
            Publish(
                topic: "a", payload: [0x78], qos: .atLeastOnce, packetID: 7,
                properties: with(Publish.Properties()) {
                    $0.payloadIsUTF8 = true
                    $0.messageExpiryInterval = 3600
                    $0.contentType = "text"
                    $0.responseTopic = "r/t"
                    $0.correlationData = [1, 2]
                    $0.subscriptionIdentifiers = [1, 268_435_455]
                    $0.topicAlias = 65_535
                    $0.userProperties = [UserProperty("k", "v")]
                }))),
]

let acknowledgementCases: [PacketCase] = [
    PacketCase("PUBACK", to: .server, .v311, "40 02 0001", .puback(Acknowledgement(packetID: 1))),
    PacketCase("PUBREC", to: .server, .v311, "50 02 0102", .pubrec(Acknowledgement(packetID: 0x0102))),
    PacketCase("PUBREL", to: .server, .v311, "62 02 0102", .pubrel(Acknowledgement(packetID: 0x0102))),
    PacketCase("PUBCOMP", to: .client, .v311, "70 02 0102", .pubcomp(Acknowledgement(packetID: 0x0102))),
    PacketCase("PUBACK", to: .server, .v5, "40 02 FFFF", .puback(Acknowledgement(packetID: 0xFFFF))),
    PacketCase(
        "PUBACK with a code", to: .client, .v5, "40 03 0001 87", .puback(Acknowledgement(packetID: 1, reasonCode: .notAuthorized))
    ),
    PacketCase(
        "PUBACK with properties", to: .client, .v5, "40 15 0001 00 11 1F 0004'why?' 26 0003'key' 0002'v1'",
        .puback(
            Acknowledgement(
                packetID: 1, properties: ReasonProperties(reasonString: "why?", userProperties: [UserProperty("key", "v1")])))),
    PacketCase(
        "PUBREC with a code", to: .server, .v5, "50 03 0001 10",
        .pubrec(Acknowledgement(packetID: 1, reasonCode: .noMatchingSubscribers))),
    PacketCase(
        "PUBREL with a code", to: .server, .v5, "62 03 0001 92",
        .pubrel(Acknowledgement(packetID: 1, reasonCode: .packetIdentifierNotFound))),
    PacketCase("PUBCOMP", to: .server, .v5, "70 02 0001", .pubcomp(Acknowledgement(packetID: 1))),
]
