/// How an operation ended, or why a connection ends (MQTT 5.0 §2.4, table 2-6). Below 0x80 it went well.
///
/// The codes of 3.1.1 (CONNACK, SUBACK) are told by the same names; ``Packet/encode(version:into:)`` and the decoder translate.
public enum ReasonCode: UInt8, Sendable, Hashable, CaseIterable {
    /// Done; in DISCONNECT "normal disconnection", in SUBACK "granted QoS 0".
    case success = 0x00
    /// A subscription was granted at QoS 1.
    case grantedQoS1 = 0x01
    /// A subscription was granted at QoS 2.
    case grantedQoS2 = 0x02
    /// The client leaves and wants its will published.
    case disconnectWithWillMessage = 0x04
    /// The message was accepted, nobody subscribes.
    case noMatchingSubscribers = 0x10
    /// There was nothing to unsubscribe.
    case noSubscriptionExisted = 0x11
    /// The authentication goes on.
    case continueAuthentication = 0x18
    /// The client starts another authentication.
    case reauthenticate = 0x19
    /// The sender does not want to say, or no other code fits.
    case unspecifiedError = 0x80
    /// The packet cannot be parsed.
    case malformedPacket = 0x81
    /// The packet parses, and breaks a rule or comes at the wrong time.
    case protocolError = 0x82
    /// Valid, and not accepted by this implementation.
    case implementationSpecificError = 0x83
    /// The server does not speak the version asked for.
    case unsupportedProtocolVersion = 0x84
    /// The server does not allow this client identifier.
    case clientIdentifierNotValid = 0x85
    /// The server does not accept the user name or the password.
    case badUserNameOrPassword = 0x86
    /// Not allowed.
    case notAuthorized = 0x87
    /// The server is not available.
    case serverUnavailable = 0x88
    /// The server is busy; try again later.
    case serverBusy = 0x89
    /// The client is banned by an operator.
    case banned = 0x8A
    /// The server shuts down.
    case serverShuttingDown = 0x8B
    /// The authentication method is not supported, or is not the one in use.
    case badAuthenticationMethod = 0x8C
    /// Nothing was heard for one and a half times the keep-alive.
    case keepAliveTimeout = 0x8D
    /// Another connection has taken the session.
    case sessionTakenOver = 0x8E
    /// The topic filter is well-formed, and not accepted.
    case topicFilterInvalid = 0x8F
    /// The topic name is well-formed, and not accepted.
    case topicNameInvalid = 0x90
    /// The packet identifier is in use.
    case packetIdentifierInUse = 0x91
    /// The packet identifier is not known.
    case packetIdentifierNotFound = 0x92
    /// More messages than the receive maximum were unacknowledged.
    case receiveMaximumExceeded = 0x93
    /// The topic alias is 0 or above the maximum.
    case topicAliasInvalid = 0x94
    /// The packet is larger than the maximum packet size.
    case packetTooLarge = 0x95
    /// Too many messages in too short a time.
    case messageRateTooHigh = 0x96
    /// A quota is used up.
    case quotaExceeded = 0x97
    /// An operator's doing.
    case administrativeAction = 0x98
    /// The payload is not what its format indicator says.
    case payloadFormatInvalid = 0x99
    /// The server keeps no retained messages.
    case retainNotSupported = 0x9A
    /// The QoS is above the server's maximum.
    case qosNotSupported = 0x9B
    /// Use another server for now.
    case useAnotherServer = 0x9C
    /// Use another server from now on.
    case serverMoved = 0x9D
    /// The server has no shared subscriptions.
    case sharedSubscriptionsNotSupported = 0x9E
    /// Too many connections in too short a time.
    case connectionRateExceeded = 0x9F
    /// The longest time of a connection has passed.
    case maximumConnectTime = 0xA0
    /// The server has no subscription identifiers.
    case subscriptionIdentifiersNotSupported = 0xA1
    /// The server has no wildcard subscriptions.
    case wildcardSubscriptionsNotSupported = 0xA2

    /// 0x00 as DISCONNECT names it.
    public static var normalDisconnection: ReasonCode { .success }
    /// 0x00 as SUBACK names it.
    public static var grantedQoS0: ReasonCode { .success }

    /// The code by which SUBACK grants a subscription.
    public static func granted(_ qos: QoS) -> ReasonCode {
        switch qos {
        case .atMostOnce: .grantedQoS0
        case .atLeastOnce: .grantedQoS1
        case .exactlyOnce: .grantedQoS2
        }
    }

    /// Whether the code tells a failure (0x80 and above).
    public var isError: Bool { rawValue >= 0x80 }
}
