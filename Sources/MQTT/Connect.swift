/// CONNECT: a client asks for a connection (MQTT 5.0 §3.1).
public struct Connect: Equatable, Sendable {
    /// The version that the client speaks. ``Packet/encode(version:into:)`` writes the version that it is given.
    public var version: ProtocolVersion
    /// The client identifier; may be empty. In 3.1.1 with `cleanStart` false an empty one is accepted here: the server answers
    /// it [MQTT-3.1.3-8].
    public var clientIdentifier: String
    /// Clean Start, in 3.1.1 CleanSession: the client wants no older session.
    public var cleanStart: Bool
    /// Keep-alive in seconds; 0 is none.
    public var keepAlive: UInt16
    /// The message to publish when the connection breaks.
    public var will: Will?
    /// The user name.
    public var userName: String?
    /// The password: any bytes. 3.1.1 allows one only with a user name.
    public var password: [UInt8]?
    /// The properties; empty in 3.1.1.
    public var properties: Properties

    /// Creates a CONNECT.
    public init(
        version: ProtocolVersion, clientIdentifier: String, cleanStart: Bool = true, keepAlive: UInt16 = 0, will: Will? = nil,
        userName: String? = nil, password: [UInt8]? = nil, properties: Properties = Properties()
    ) {
        self.version = version
        self.clientIdentifier = clientIdentifier
        self.cleanStart = cleanStart
        self.keepAlive = keepAlive
        self.will = will
        self.userName = userName
        self.password = password
        self.properties = properties
    }

    /// What a 5.0 CONNECT may say beside its fields (MQTT 5.0 §3.1.2.11).
    public struct Properties: Equatable, Sendable {
        /// For how long the session outlives the connection, in seconds; absent is 0, 0xFFFFFFFF is for ever.
        public var sessionExpiryInterval: UInt32?
        /// How many messages at QoS 1 and 2 the client takes unacknowledged; never 0, absent is 65,535.
        public var receiveMaximum: UInt16?
        /// The largest packet that the client takes, in bytes with the fixed header; never 0, absent is no limit.
        public var maximumPacketSize: UInt32?
        /// The highest topic alias that the client takes; absent is 0.
        public var topicAliasMaximum: UInt16?
        /// Whether CONNACK should hold Response Information; absent is false.
        public var requestResponseInformation: Bool?
        /// Whether reason strings and user properties may come with any packet; absent is true.
        public var requestProblemInformation: Bool?
        /// The method of an extended authentication.
        public var authenticationMethod: String?
        /// The first data of an extended authentication; only with a method.
        public var authenticationData: [UInt8]?
        /// The caller's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}

/// A will: the message that is published when the connection breaks (MQTT 5.0 §3.1.2.5).
public struct Will: Equatable, Sendable {
    /// The topic name.
    public var topic: String
    /// The message.
    public var payload: [UInt8]
    /// The quality of service.
    public var qos: QoS
    /// Whether it is to be retained.
    public var retain: Bool
    /// The properties; empty in 3.1.1.
    public var properties: Properties

    /// Creates a will.
    public init(
        topic: String, payload: [UInt8], qos: QoS = .atMostOnce, retain: Bool = false, properties: Properties = Properties()
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.properties = properties
    }

    /// What a 5.0 will may say beside its fields (MQTT 5.0 §3.1.3.2).
    public struct Properties: Equatable, Sendable {
        /// For how long to wait before the will is published, in seconds; absent is 0.
        public var willDelayInterval: UInt32?
        /// Whether the payload is UTF-8 text; absent is false.
        public var payloadIsUTF8: Bool?
        /// For how long the message is of use, in seconds; absent is for ever.
        public var messageExpiryInterval: UInt32?
        /// What the payload is, for example a MIME type.
        public var contentType: String?
        /// Where an answer is expected.
        public var responseTopic: String?
        /// What an answer is to carry.
        public var correlationData: [UInt8]?
        /// The caller's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}

/// A pair of the application's own (MQTT 5.0 §2.2.2.2). A name may come more than once.
public struct UserProperty: Equatable, Sendable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String

    /// Creates a pair.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
