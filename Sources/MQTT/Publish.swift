/// PUBLISH: a message (MQTT 5.0 §3.3).
public struct Publish: Equatable, Sendable {
    /// The topic name; empty (5.0 only) where a topic alias stands for it.
    public var topic: String
    /// The message.
    public var payload: [UInt8]
    /// The quality of service.
    public var qos: QoS
    /// The packet identifier; nil at QoS 0, never 0 above it.
    public var packetID: UInt16?
    /// DUP: this may be a redelivery. Never at QoS 0.
    public var isDuplicate: Bool
    /// RETAIN.
    public var retain: Bool
    /// The properties; empty in 3.1.1.
    public var properties: Properties

    /// Creates a PUBLISH. `packetID` belongs to QoS 1 and 2 only.
    public init(
        topic: String, payload: [UInt8], qos: QoS = .atMostOnce, packetID: UInt16? = nil, isDuplicate: Bool = false,
        retain: Bool = false, properties: Properties = Properties()
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.packetID = packetID
        self.isDuplicate = isDuplicate
        self.retain = retain
        self.properties = properties
    }

    /// What a 5.0 PUBLISH may say beside its fields (MQTT 5.0 §3.3.2.3).
    public struct Properties: Equatable, Sendable {
        /// Whether the payload is UTF-8 text; absent is false. Nobody has checked it.
        public var payloadIsUTF8: Bool?
        /// For how long the message is of use, in seconds; absent is for ever.
        public var messageExpiryInterval: UInt32?
        /// What the payload is, for example a MIME type.
        public var contentType: String?
        /// Where an answer is expected.
        public var responseTopic: String?
        /// What an answer is to carry.
        public var correlationData: [UInt8]?
        /// The subscriptions by which the message comes; only from a server.
        public var subscriptionIdentifiers: [UInt32] = []
        /// A number that stands for the topic name on this connection; never 0. Whether it is below the maximum is the
        /// session's business.
        public var topicAlias: UInt16?
        /// The sender's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}

/// Quality of service: how often a message may arrive (MQTT 5.0 §4.3).
public enum QoS: UInt8, Sendable, Hashable, Comparable {
    /// QoS 0: never answered.
    case atMostOnce = 0
    /// QoS 1: answered by PUBACK.
    case atLeastOnce = 1
    /// QoS 2: answered by PUBREC, PUBREL, PUBCOMP.
    case exactlyOnce = 2

    /// Orders by strength.
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}
