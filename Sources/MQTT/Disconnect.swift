/// DISCONNECT: the last packet of a connection (MQTT 5.0 §3.14). In 3.1.1 it has neither code nor properties, and only a client
/// sends it.
public struct Disconnect: Equatable, Sendable {
    /// Why; always `normalDisconnection` in 3.1.1.
    public var reasonCode: ReasonCode
    /// The properties; empty in 3.1.1.
    public var properties: Properties

    /// Creates a DISCONNECT.
    public init(reasonCode: ReasonCode = .normalDisconnection, properties: Properties = Properties()) {
        self.reasonCode = reasonCode
        self.properties = properties
    }

    /// What a 5.0 DISCONNECT may say beside its code (MQTT 5.0 §3.14.2.2).
    public struct Properties: Equatable, Sendable {
        /// Another session expiry than CONNECT's, in seconds; only from a client. Raising it from 0 is the session's business.
        public var sessionExpiryInterval: UInt32?
        /// The reason for people to read.
        public var reasonString: String?
        /// Another server to use.
        public var serverReference: String?
        /// The sender's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}

/// AUTH: a step of an extended authentication; 5.0 only (MQTT 5.0 §3.15).
public struct Auth: Equatable, Sendable {
    /// Which step.
    public var reasonCode: ReasonCode
    /// The properties.
    public var properties: Properties

    /// Creates an AUTH.
    public init(reasonCode: ReasonCode, properties: Properties = Properties()) {
        self.reasonCode = reasonCode
        self.properties = properties
    }

    /// What an AUTH may say beside its code (MQTT 5.0 §3.15.2.2).
    public struct Properties: Equatable, Sendable {
        /// The method: CONNECT's. Absent only in the short form for "success".
        public var authenticationMethod: String?
        /// The data; only with a method.
        public var authenticationData: [UInt8]?
        /// The reason for people to read.
        public var reasonString: String?
        /// The sender's own pairs, in order.
        public var userProperties: [UserProperty] = []

        /// No properties.
        public init() {}
    }
}
