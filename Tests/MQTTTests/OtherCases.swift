import MQTT

let subscriptionCases: [PacketCase] = [
    PacketCase(
        "SUBSCRIBE", to: .server, .v311, "82 0F 0001 0003'a/b' 01 0004'$SYS' 00",
        .subscribe(
            Subscribe(
                packetID: 1,
                subscriptions: [
                    Subscription(filter("a/b", .v311), qos: .atLeastOnce), Subscription(filter("$SYS", .v311), qos: .atMostOnce),
                ]))),
    PacketCase(
        "SUBSCRIBE to what is a share in 5.0", to: .server, .v311, "82 0C 0001 0007'$share/' 02",
        .subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter("$share/", .v311), qos: .exactlyOnce)]))),
    PacketCase(
        "SUBSCRIBE", to: .server, .v5, "82 07 0001 00 0001'#' 00",
        .subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter("#"), qos: .atMostOnce)]))),
    PacketCase(
        "SUBSCRIBE with all options and properties", to: .server, .v5,
        "82 1E 0001 0A 0B 8001 26 0001'k' 0001'v' 0001'a' 2E 000A'$share/n/b' 19",
        .subscribe(
            Subscribe(
                packetID: 1,
                subscriptions: [
                    Subscription(
                        filter("a"), qos: .exactlyOnce, noLocal: true, retainAsPublished: true, retainHandling: .doNotSend),
                    Subscription(
                        filter("$share/n/b"), qos: .atLeastOnce, retainAsPublished: true, retainHandling: .sendIfNew),
                ],
                properties: with(Subscribe.Properties()) {
                    $0.subscriptionIdentifier = 128
                    $0.userProperties = [UserProperty("k", "v")]
                }))),
    PacketCase(
        "SUBACK", to: .client, .v311, "90 06 0001 00 01 02 80",
        .suback(Suback(packetID: 1, reasonCodes: [.grantedQoS0, .grantedQoS1, .grantedQoS2, .unspecifiedError]))),
    PacketCase(
        "SUBACK", to: .client, .v5, "90 0A 0001 04 1F 0001'r' 01 87 9E",
        .suback(
            Suback(
                packetID: 1, reasonCodes: [.grantedQoS1, .notAuthorized, .sharedSubscriptionsNotSupported],
                properties: ReasonProperties(reasonString: "r")))),
    PacketCase(
        "UNSUBSCRIBE", to: .server, .v311, "A2 08 0001 0001'a' 0001'#'",
        .unsubscribe(Unsubscribe(packetID: 1, filters: [filter("a", .v311), filter("#", .v311)]))),
    PacketCase(
        "UNSUBSCRIBE", to: .server, .v5, "A2 0D 0001 07 26 0001'k' 0001'v' 0001'a'",
        .unsubscribe(Unsubscribe(packetID: 1, filters: [filter("a")], userProperties: [UserProperty("k", "v")]))),
    PacketCase("UNSUBACK", to: .client, .v311, "B0 02 0001", .unsuback(Unsuback(packetID: 1, reasonCodes: []))),
    PacketCase(
        "UNSUBACK", to: .client, .v5, "B0 05 0001 00 00 11",
        .unsuback(Unsuback(packetID: 1, reasonCodes: [.success, .noSubscriptionExisted]))),
]

let connectionCases: [PacketCase] = [
    PacketCase("PINGREQ", to: .server, .v311, "C0 00", .pingreq),
    PacketCase("PINGREQ", to: .server, .v5, "C0 00", .pingreq),
    PacketCase("PINGRESP", to: .client, .v311, "D0 00", .pingresp),
    PacketCase("PINGRESP", to: .client, .v5, "D0 00", .pingresp),
    PacketCase("DISCONNECT", to: .server, .v311, "E0 00", .disconnect(Disconnect())),
    PacketCase("DISCONNECT", to: .server, .v5, "E0 00", .disconnect(Disconnect())),
    PacketCase(
        "DISCONNECT with a code", to: .client, .v5, "E0 01 8E", .disconnect(Disconnect(reasonCode: .sessionTakenOver))),
    PacketCase(
        "DISCONNECT with properties", to: .server, .v5, "E0 16 04 14 11 00000000 1C 0001's' 1F 0001'r' 26 0001'k' 0001'v'",
        .disconnect(
            Disconnect(
                reasonCode: .disconnectWithWillMessage,
                properties: with(Disconnect.Properties()) {
                    $0.sessionExpiryInterval = 0
                    $0.serverReference = "s"
                    $0.reasonString = "r"
                    $0.userProperties = [UserProperty("k", "v")]
                }))),
    PacketCase("AUTH, success in short", to: .client, .v5, "F0 00", .auth(Auth(reasonCode: .success))),
    PacketCase(
        "AUTH", to: .server, .v5, "F0 15 18 13 15 0001'm' 16 0001 07 1F 0001'r' 26 0001'k' 0001'v'",
        .auth(
            Auth(
                reasonCode: .continueAuthentication,
                properties: with(Auth.Properties()) {
                    $0.authenticationMethod = "m"
                    $0.authenticationData = [7]
                    $0.reasonString = "r"
                    $0.userProperties = [UserProperty("k", "v")]
                }))),
    PacketCase(
        "AUTH again", to: .server, .v5, "F0 06 19 04 15 0001'm'",
        .auth(Auth(reasonCode: .reauthenticate, properties: with(Auth.Properties()) { $0.authenticationMethod = "m" }))),
]
