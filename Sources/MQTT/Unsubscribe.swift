/// UNSUBSCRIBE: a client gives subscriptions up (MQTT 5.0 §3.10).
public struct Unsubscribe: Equatable, Sendable {
    /// The packet identifier; never 0.
    public var packetID: UInt16
    /// What is given up; never empty.
    public var filters: [TopicFilter]
    /// The client's own pairs, in order; empty in 3.1.1. UNSUBSCRIBE has no other property.
    public var userProperties: [UserProperty]

    /// Creates an UNSUBSCRIBE.
    public init(packetID: UInt16, filters: [TopicFilter], userProperties: [UserProperty] = []) {
        self.packetID = packetID
        self.filters = filters
        self.userProperties = userProperties
    }
}

/// UNSUBACK: the answer to UNSUBSCRIBE (MQTT 5.0 §3.11).
public struct Unsuback: Equatable, Sendable {
    /// The packet identifier of the UNSUBSCRIBE; never 0.
    public var packetID: UInt16
    /// One code for each filter, in their order; 3.1.1 has none: empty when decoded, not written when encoded.
    public var reasonCodes: [ReasonCode]
    /// The properties; empty in 3.1.1.
    public var properties: ReasonProperties

    /// Creates an UNSUBACK.
    public init(packetID: UInt16, reasonCodes: [ReasonCode], properties: ReasonProperties = ReasonProperties()) {
        self.packetID = packetID
        self.reasonCodes = reasonCodes
        self.properties = properties
    }
}
