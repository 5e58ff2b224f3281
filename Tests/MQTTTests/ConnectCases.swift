import MQTT

let connectCases: [PacketCase] = [
    PacketCase(
        "CONNECT, the least", to: .server, .v311, "10 0C 0004'MQTT' 04 00 0000 0000",
        .connect(Connect(version: .v311, clientIdentifier: "", cleanStart: false))),
    PacketCase(
        "CONNECT of a device", to: .server, .v311, "10 1E 0004'MQTT' 04 C2 003C 0004'dev1' 0005'token' 0005'p' 00 FF 'wd'",
        .connect(
            Connect(
                version: .v311, clientIdentifier: "dev1", keepAlive: 60, userName: "token",
                password: [0x70, 0x00, 0xFF, 0x77, 0x64]))),
    PacketCase(
        "CONNECT with a will", to: .server, .v311, "10 1A 0004'MQTT' 04 36 FFFF 0003'dev' 0003'a/b' 0004'gone'",
        .connect(
            Connect(
                version: .v311, clientIdentifier: "dev", keepAlive: 65_535,
                will: Will(topic: "a/b", payload: Array("gone".utf8), qos: .exactlyOnce, retain: true)))),
    PacketCase(
        "CONNECT, the least", to: .server, .v5, "10 0D 0004'MQTT' 05 02 0000 00 0000",
        .connect(Connect(version: .v5, clientIdentifier: ""))),
    PacketCase(
        "CONNECT with a password and no user name", to: .server, .v5, "10 10 0004'MQTT' 05 42 0000 00 0000 0001'p'",
        .connect(Connect(version: .v5, clientIdentifier: "", password: [0x70]))),
    PacketCase(
        "CONNECT with an empty user name and password", to: .server, .v5, "10 11 0004'MQTT' 05 C2 0000 00 0000 0000 0000",
        .connect(Connect(version: .v5, clientIdentifier: "", userName: "", password: []))),
    PacketCase(
        "CONNECT with all properties", to: .server, .v5,
        "10 3F 0004'MQTT' 05 02 001E 2F 11 0000000A 15 0005'SCRAM' 16 0002 00FF 17 00 19 01 21 0014 22 0005 27 00004000"
            + "26 0001'a' 0001'1' 26 0001'a' 0001'2' 0003'dev'",
        .connect(
            Connect(
                version: .v5, clientIdentifier: "dev", keepAlive: 30,
                properties: with(Connect.Properties()) {
                    $0.sessionExpiryInterval = 10
                    $0.authenticationMethod = "SCRAM"
                    $0.authenticationData = [0x00, 0xFF]
                    $0.requestProblemInformation = false
                    $0.requestResponseInformation = true
                    $0.receiveMaximum = 20
                    $0.topicAliasMaximum = 5
                    $0.maximumPacketSize = 16_384
                    $0.userProperties = [UserProperty("a", "1"), UserProperty("a", "2")]
                }))),
    PacketCase(
        "CONNECT with a will and all its properties", to: .server, .v5,
        "10 3E 0004'MQTT' 05 0E 0000 00 0003'dev'"
            + "25 01 01 02 00000E10 03 0004'text' 08 0003'r/t' 09 0002 0102 18 00000005 26 0001'k' 0001'v' 0001't' 0003'bye'",
        .connect(
            Connect(
                version: .v5, clientIdentifier: "dev",
                will: Will(
                    topic: "t", payload: Array("bye".utf8), qos: .atLeastOnce,
                    properties: with(Will.Properties()) {
                        $0.payloadIsUTF8 = true
                        $0.messageExpiryInterval = 3600
                        $0.contentType = "text"
                        $0.responseTopic = "r/t"
                        $0.correlationData = [1, 2]
                        $0.willDelayInterval = 5
                        $0.userProperties = [UserProperty("k", "v")]
                    })))),
]

let connackCases: [PacketCase] = [
    PacketCase("CONNACK", to: .client, .v311, "20 02 00 00", .connack(Connack())),
    PacketCase("CONNACK with a session", to: .client, .v311, "20 02 01 00", .connack(Connack(sessionPresent: true))),
    PacketCase(
        "CONNACK, bad version", to: .client, .v311, "20 02 00 01", .connack(Connack(reasonCode: .unsupportedProtocolVersion))),
    PacketCase(
        "CONNACK, bad identifier", to: .client, .v311, "20 02 00 02", .connack(Connack(reasonCode: .clientIdentifierNotValid))),
    PacketCase("CONNACK, unavailable", to: .client, .v311, "20 02 00 03", .connack(Connack(reasonCode: .serverUnavailable))),
    PacketCase("CONNACK, bad password", to: .client, .v311, "20 02 00 04", .connack(Connack(reasonCode: .badUserNameOrPassword))),
    PacketCase("CONNACK, not authorized", to: .client, .v311, "20 02 00 05", .connack(Connack(reasonCode: .notAuthorized))),
    PacketCase("CONNACK", to: .client, .v5, "20 03 00 00 00", .connack(Connack())),
    PacketCase("CONNACK, not authorized", to: .client, .v5, "20 03 00 87 00", .connack(Connack(reasonCode: .notAuthorized))),
    PacketCase(
        "CONNACK with all properties", to: .client, .v5,
        "20 47 01 00 44 11 00000000 12 0002'id' 13 003C 15 0001'm' 16 0001 07 1A 0001'i' 1C 0001's' 1F 0001'r' 21 0014 22 0000"
            + "24 01 25 00 27 00004000 28 01 29 00 2A 00 26 0001'k' 0001'v' 26 0001'k' 0001'w'",
        .connack(
            Connack(
                sessionPresent: true,
                properties: with(Connack.Properties()) {
                    $0.sessionExpiryInterval = 0
                    $0.assignedClientIdentifier = "id"
                    $0.serverKeepAlive = 60
                    $0.authenticationMethod = "m"
                    $0.authenticationData = [7]
                    $0.responseInformation = "i"
                    $0.serverReference = "s"
                    $0.reasonString = "r"
                    $0.receiveMaximum = 20
                    $0.topicAliasMaximum = 0
                    $0.maximumQoS = .atLeastOnce
                    $0.retainAvailable = false
                    $0.maximumPacketSize = 16_384
                    $0.wildcardSubscriptionAvailable = true
                    $0.subscriptionIdentifiersAvailable = false
                    $0.sharedSubscriptionAvailable = false
                    $0.userProperties = [UserProperty("k", "v"), UserProperty("k", "w")]
                }))),
]
