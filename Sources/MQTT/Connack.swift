/// CONNACK: the answer to CONNECT (MQTT 5.0 §3.2).
public struct Connack: Equatable, Sendable {
    /// Whether the server has kept an older session; only with `success`.
    public var sessionPresent: Bool
    /// How it ended. In 3.1.1 it stands for the return code: 1 `unsupportedProtocolVersion`, 2 `clientIdentifierNotValid`,
    /// 3 `serverUnavailable` (and all that 3.1.1 has no word for), 4 `badUserNameOrPassword`, 5 `notAuthorized`.
    public var reasonCode: ReasonCode
    /// The properties; not written in 3.1.1.
    public var properties: Properties

    /// Creates a CONNACK.
    public init(sessionPresent: Bool = false, reasonCode: ReasonCode = .success, properties: Properties = Properties()) {
        self.sessionPresent = sessionPresent
        self.reasonCode = reasonCode
        self.properties = properties
    }

    /// What a 5.0 CONNACK may say beside its fields (MQTT 5.0 §3.2.2.3).
    public struct Properties: Equatable, Sendable {
        /// The server's choice in place of the client's, in seconds.
        public var sessionExpiryInterval: UInt32?
        /// How many messages at QoS 1 and 2 the server takes unacknowledged; never 0, absent is 65,535.
        public var receiveMaximum: UInt16?
        /// The highest QoS that the server takes: 0 or 1; absent is 2.
        public var maximumQoS: QoS?
        /// Whether the server keeps retained messages; absent is true.
        public var retainAvailable: Bool?
        /// The largest packet that the server takes, in bytes with the fixed header; never 0, absent is no limit.
        public var maximumPacketSize: UInt32?
        /// The client identifier that the server made up for an empty one.
        public var assignedClientIdentifier: String?
        /// The highest topic alias that the server takes; absent is 0.
        public var topicAliasMaximum: UInt16?
        /// The reason for people to read.
        public var reasonString: String?
        /// Whether the server has wildcard subscriptions; absent is true.
        public var wildcardSubscriptionAvailable: Bool?
        /// Whether the server has subscription identifiers; absent is true.
        public var subscriptionIdentifiersAvailable: Bool?
        /// Whether the server has shared subscriptions; absent is true.
        public var sharedSubscriptionAvailable: Bool?
        /// The server's keep-alive in place of the client's, in seconds.
        public var serverKeepAlive: UInt16?
        /// What a client may make response topics of.
        public var responseInformation: String?
        /// Another server to use.
        public var serverReference: String?
        /// The method of the extended authentication.
        public var authenticationMethod: String?
        /// The data of the extended authentication; only with a method.
        public var authenticationData: [UInt8]?
        /// The server's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}
