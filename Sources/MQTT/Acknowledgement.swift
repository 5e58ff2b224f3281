/// What PUBACK, PUBREC, PUBREL and PUBCOMP hold (MQTT 5.0 §3.4 to §3.7).
public struct Acknowledgement: Equatable, Sendable {
    /// The packet identifier of the PUBLISH; never 0.
    public var packetID: UInt16
    /// How it ended; always `success` in 3.1.1, which has no code here.
    public var reasonCode: ReasonCode
    /// The properties; empty in 3.1.1.
    public var properties: ReasonProperties

    /// Creates an acknowledgement.
    public init(packetID: UInt16, reasonCode: ReasonCode = .success, properties: ReasonProperties = ReasonProperties()) {
        self.packetID = packetID
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

/// What a PUBACK says, without its properties.
public struct Puback: Hashable, Sendable {
    /// The packet identifier of the PUBLISH; never 0.
    public let packetID: UInt16
    /// Whether the receiver took the message; always `success` in 3.1.1.
    public let reasonCode: ReasonCode

    /// A PUBACK without its properties.
    public init(packetID: UInt16, reasonCode: ReasonCode = .success) {
        self.packetID = packetID
        self.reasonCode = reasonCode
    }
}

/// What every answer of 5.0 may say beside its fields (MQTT 5.0 §3.4.2.2, §3.9.2.1).
public struct ReasonProperties: Equatable, Sendable {
    /// The reason for people to read.
    public var reasonString: String?
    /// The sender's own pairs, in order.
    public var userProperties: [UserProperty]

    /// Creates the properties; none by default.
    public init(reasonString: String? = nil, userProperties: [UserProperty] = []) {
        self.reasonString = reasonString
        self.userProperties = userProperties
    }
}
