extension ReasonCode {
    /// Whether `packet` may carry this code to `receiver` (MQTT 5.0 table 2-6; for DISCONNECT and AUTH the "sent by" columns of
    /// §3.14.2.1 and §3.15.2.1).
    func isAllowed(in packet: PacketType, to receiver: Role) -> Bool {
        switch packet {
        case .puback, .pubrec: isAllowedInPuback
        case .pubrel, .pubcomp: self == .success || self == .packetIdentifierNotFound
        case .connack: isAllowedInConnack
        case .suback: isAllowedInSuback
        case .unsuback: isAllowedInUnsuback
        case .disconnect: receiver == .server ? isDisconnectFromClient : isDisconnectFromServer
        case .auth:
            switch self {
            case .continueAuthentication: true
            case .success: receiver == .client
            case .reauthenticate: receiver == .server
            default: false
            }
        default: false
        }
    }

    private var isAllowedInPuback: Bool {
        switch self {
        case .success, .noMatchingSubscribers, .unspecifiedError, .implementationSpecificError, .notAuthorized, .topicNameInvalid,
            .packetIdentifierInUse, .quotaExceeded, .payloadFormatInvalid:
            true
        default: false
        }
    }

    private var isAllowedInConnack: Bool {
        switch self {
        case .success, .unspecifiedError, .malformedPacket, .protocolError, .implementationSpecificError,
            .unsupportedProtocolVersion, .clientIdentifierNotValid, .badUserNameOrPassword, .notAuthorized, .serverUnavailable,
            .serverBusy, .banned, .badAuthenticationMethod, .topicNameInvalid, .packetTooLarge, .quotaExceeded,
            .payloadFormatInvalid, .retainNotSupported, .qosNotSupported, .useAnotherServer, .serverMoved,
            .connectionRateExceeded:
            true
        default: false
        }
    }

    private var isAllowedInSuback: Bool {
        switch self {
        case .success, .grantedQoS1, .grantedQoS2, .unspecifiedError, .implementationSpecificError, .notAuthorized,
            .topicFilterInvalid, .packetIdentifierInUse, .quotaExceeded, .sharedSubscriptionsNotSupported,
            .subscriptionIdentifiersNotSupported, .wildcardSubscriptionsNotSupported:
            true
        default: false
        }
    }

    private var isAllowedInUnsuback: Bool {
        switch self {
        case .success, .noSubscriptionExisted, .unspecifiedError, .implementationSpecificError, .notAuthorized,
            .topicFilterInvalid, .packetIdentifierInUse:
            true
        default: false
        }
    }

    private var isDisconnectFromClient: Bool {
        switch self {
        case .success, .disconnectWithWillMessage, .unspecifiedError, .malformedPacket, .protocolError,
            .implementationSpecificError, .topicNameInvalid, .receiveMaximumExceeded, .topicAliasInvalid, .packetTooLarge,
            .messageRateTooHigh, .quotaExceeded, .administrativeAction, .payloadFormatInvalid:
            true
        default: false
        }
    }

    private var isDisconnectFromServer: Bool {
        switch self {
        case .disconnectWithWillMessage: false
        case .notAuthorized, .serverBusy, .serverShuttingDown, .badAuthenticationMethod, .keepAliveTimeout, .sessionTakenOver,
            .topicFilterInvalid, .retainNotSupported, .qosNotSupported, .useAnotherServer, .serverMoved,
            .sharedSubscriptionsNotSupported, .connectionRateExceeded, .maximumConnectTime, .subscriptionIdentifiersNotSupported,
            .wildcardSubscriptionsNotSupported:
            true
        default: isDisconnectFromClient
        }
    }
}

// What 3.1.1 can say of these.
extension ReasonCode {
    /// The meaning of a CONNACK return code of 3.1.1 (table 3.1); nil if it is reserved.
    init?(connectReturnCode code: UInt8) {
        switch code {
        case 0: self = .success
        case 1: self = .unsupportedProtocolVersion
        case 2: self = .clientIdentifierNotValid
        case 3: self = .serverUnavailable
        case 4: self = .badUserNameOrPassword
        case 5: self = .notAuthorized
        default: return nil
        }
    }

    /// The CONNACK return code of 3.1.1. What 3.1.1 has no word for is told as "server unavailable", the code after which a
    /// client tries again.
    var connectReturnCode: UInt8 {
        switch self {
        case .success: 0
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .badUserNameOrPassword: 4
        case .notAuthorized, .banned, .badAuthenticationMethod: 5
        default: 3
        }
    }

    /// The SUBACK return code of 3.1.1 (§3.9.3): every failure is 0x80.
    var subscribeReturnCode: UInt8 { isError ? 0x80 : rawValue }
}
