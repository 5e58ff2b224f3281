/// SUBSCRIBE: a client asks for subscriptions (MQTT 5.0 §3.8).
public struct Subscribe: Equatable, Sendable {
    /// The packet identifier; never 0.
    public var packetID: UInt16
    /// What is asked for; never empty.
    public var subscriptions: [Subscription]
    /// The properties; empty in 3.1.1.
    public var properties: Properties

    /// Creates a SUBSCRIBE.
    public init(packetID: UInt16, subscriptions: [Subscription], properties: Properties = Properties()) {
        self.packetID = packetID
        self.subscriptions = subscriptions
        self.properties = properties
    }

    /// What a 5.0 SUBSCRIBE may say beside its fields (MQTT 5.0 §3.8.2.1).
    public struct Properties: Equatable, Sendable {
        /// A number by which messages tell their subscription, 1 to 268,435,455.
        public var subscriptionIdentifier: UInt32?
        /// The client's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}

/// One subscription that is asked for (MQTT 5.0 §3.8.3.1).
public struct Subscription: Equatable, Sendable {
    /// When retained messages are sent (MQTT 5.0 §3.8.3.1).
    public enum RetainHandling: UInt8, Sendable {
        /// At every SUBSCRIBE.
        case send = 0
        /// When the subscription did not exist.
        case sendIfNew = 1
        /// Never.
        case doNotSend = 2
    }

    /// What is subscribed to.
    public var filter: TopicFilter
    /// The highest QoS that the client wants.
    public var qos: QoS
    /// No Local: not what this client publishes itself; 5.0 only.
    public var noLocal: Bool
    /// Whether RETAIN is to stay as it was published; 5.0 only.
    public var retainAsPublished: Bool
    /// When retained messages are sent; 5.0 only.
    public var retainHandling: RetainHandling

    /// Creates a subscription; the options beside `qos` exist in 5.0 only.
    public init(
        _ filter: TopicFilter, qos: QoS, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .send
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }
}

/// SUBACK: the answer to SUBSCRIBE (MQTT 5.0 §3.9).
public struct Suback: Equatable, Sendable {
    /// The packet identifier of the SUBSCRIBE; never 0.
    public var packetID: UInt16
    /// One code for each subscription, in their order. 3.1.1 has one failure, told as `unspecifiedError`; any other is written
    /// as it.
    public var reasonCodes: [ReasonCode]
    /// The properties; empty in 3.1.1.
    public var properties: ReasonProperties

    /// Creates a SUBACK.
    public init(packetID: UInt16, reasonCodes: [ReasonCode], properties: ReasonProperties = ReasonProperties()) {
        self.packetID = packetID
        self.reasonCodes = reasonCodes
        self.properties = properties
    }
}
