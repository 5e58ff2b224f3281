// What stands in the standards, in their order. A rule that is "malformed" cannot be parsed as the standard says; one that is a
// "protocol error" parses (MQTT 5.0 §1.2). Where the standard names a code itself, it is that one.

// The fixed header.
extension Rule {
    /// Type 0, or a type that the version does not have.
    public static let reservedPacketType = Rule("§2.1.2", v311: "§2.2.1", "the packet type is reserved")
    /// A packet of the other direction: a CONNACK to a server, for example.
    public static let packetDirection = Rule(
        "§2.1.2", v311: "§2.2.1", .protocolError, "this packet is never sent in this direction")
    /// Reserved bits of the first byte.
    public static let reservedFlags = Rule(
        "MQTT-2.1.3-1", v311: "MQTT-2.2.2-2", "the reserved flags of the fixed header are wrong")
    /// A variable byte integer of more than four bytes.
    public static let variableByteIntegerLength = Rule(
        "§1.5.5", v311: "§2.2.3", "a variable byte integer is longer than four bytes")
    /// A variable byte integer with needless bytes; 3.1.1 does not forbid it.
    public static let variableByteIntegerMinimal = Rule("MQTT-1.5.5-1", "a variable byte integer is longer than necessary")
    /// More bytes than the receiver takes.
    public static let maximumPacketSize = Rule(
        "MQTT-3.2.2-15", v311: "§2.2.3", .packetTooLarge, "the packet is larger than the maximum packet size")
    /// A PUBLISH at "QoS 3".
    public static let publishQoS = Rule("MQTT-3.3.1-4", "both QoS bits of PUBLISH are 1")
    /// DUP at QoS 0.
    public static let duplicateAtQoS0 = Rule("MQTT-3.3.1-2", "DUP is 1 at QoS 0")
}

// Fields.
extension Rule {
    /// A field reaches past the end of the packet.
    public static let packetTooShort = Rule("§2.1.4", v311: "§2.2.3", "the packet ends inside its fields")
    /// Bytes behind the last field.
    public static let packetTooLong = Rule("§2.1.4", v311: "§2.2.3", "the packet goes on behind its fields")
    /// A string that is no UTF-8; surrogates and overlong forms are none.
    public static let stringUTF8 = Rule("MQTT-1.5.4-1", v311: "MQTT-1.5.3-1", "a string is not well-formed UTF-8")
    /// U+0000 in a string.
    public static let stringNull = Rule("MQTT-1.5.4-2", v311: "MQTT-1.5.3-2", "a string contains U+0000")
    /// A control character or a noncharacter in a client identifier, a user name, a topic name or filter.
    public static let nameCharacters = Rule("§1.5.4", v311: "§1.5.3", "a name contains a control character or a noncharacter")
    /// Packet identifier 0.
    public static let packetIdentifierZero = Rule(
        "MQTT-2.2.1-3", v311: "MQTT-2.3.1-1", .protocolError, "the packet identifier is 0")
    /// A reason code that this packet does not have, or that its sender does not send.
    public static let reasonCode = Rule("§2.4", .protocolError, "the reason code is not one of this packet's")
}

// Properties.
extension Rule {
    /// A property length that reaches past the packet, or a property past the property length.
    public static let propertyLength = Rule("§2.2.2.1", "the properties do not fit the property length")
    /// An identifier that is unknown or is not this packet's.
    public static let propertyNotAllowed = Rule("§2.2.2.2", "the packet has a property that it may not have")
    /// A property twice.
    public static let propertyTwice = Rule("§2.2.2.2", .protocolError, "a property comes more than once")
    /// A yes-or-no property that is neither 0 nor 1.
    public static let propertyBoolean = Rule("§2.2.2.2", .protocolError, "a property that is 0 or 1 is neither")
    /// Receive Maximum 0.
    public static let receiveMaximumZero = Rule("§3.1.2.11.3", .protocolError, "Receive Maximum is 0")
    /// Maximum Packet Size 0.
    public static let maximumPacketSizeZero = Rule("§3.1.2.11.4", .protocolError, "Maximum Packet Size is 0")
    /// Maximum QoS other than 0 and 1.
    public static let maximumQoS = Rule("§3.2.2.3.4", .protocolError, "Maximum QoS is neither 0 nor 1")
    /// Topic Alias 0.
    public static let topicAliasZero = Rule("MQTT-3.3.2-8", .topicAliasInvalid, "Topic Alias is 0")
    /// Subscription Identifier 0.
    public static let subscriptionIdentifierZero = Rule("§3.8.2.1.2", .protocolError, "Subscription Identifier is 0")
    /// A Subscription Identifier in a PUBLISH to a server.
    public static let subscriptionIdentifierFromClient = Rule(
        "MQTT-3.3.4-6", .protocolError, "a client's PUBLISH has a Subscription Identifier")
    /// A Response Topic that is no topic name.
    public static let responseTopic = Rule("MQTT-3.3.2-14", .protocolError, "Response Topic is not a topic name")
    /// Authentication Data without a method.
    public static let authenticationDataAlone = Rule(
        "§3.1.2.11.10", .protocolError, "there is Authentication Data without an Authentication Method")
    /// An AUTH without a method.
    public static let authenticationMethodMissing = Rule("§3.15.2.2.2", .protocolError, "AUTH has no Authentication Method")
    /// Session Expiry Interval in a DISCONNECT from a server.
    public static let sessionExpiryFromServer = Rule(
        "MQTT-3.14.2-2", .protocolError, "a server's DISCONNECT has a Session Expiry Interval")
}

// CONNECT and CONNACK.
extension Rule {
    /// Something else before CONNECT.
    public static let firstPacketIsConnect = Rule("MQTT-3.1.0-1", .protocolError, "the first packet is not CONNECT")
    /// A second CONNECT that even changes the version. (One of the same version is decoded; it is the session that refuses it.)
    public static let secondConnect = Rule("MQTT-3.1.0-2", .protocolError, "a second CONNECT has another version")
    /// A protocol name that is not "MQTT".
    public static let protocolName = Rule("MQTT-3.1.2-1", .unsupportedProtocolVersion, "the protocol name is not MQTT")
    /// A level other than 4 and 5.
    public static let protocolLevel = Rule("MQTT-3.1.2-2", .unsupportedProtocolVersion, "the protocol level is neither 4 nor 5")
    /// Bit 0 of the connect flags.
    public static let connectReservedFlag = Rule("MQTT-3.1.2-3", "the reserved flag of CONNECT is 1")
    /// A will QoS without a will.
    public static let willQoSWithoutWill = Rule("MQTT-3.1.2-11", v311: "MQTT-3.1.2-13", "there is a Will QoS without a will")
    /// Will "QoS 3".
    public static let willQoS = Rule("MQTT-3.1.2-12", v311: "MQTT-3.1.2-14", "both bits of Will QoS are 1")
    /// Will retain without a will.
    public static let willRetainWithoutWill = Rule("MQTT-3.1.2-13", v311: "MQTT-3.1.2-15", "there is Will Retain without a will")
    /// A password without a user name; allowed in 5.0.
    public static let passwordWithoutUserName = Rule("MQTT-3.1.2-22", "there is a password without a user name")
    /// Bits 7 to 1 of the acknowledge flags.
    public static let connackReservedFlags = Rule("MQTT-3.2.2-1", v311: "§3.2.2.1", "the reserved flags of CONNACK are not 0")
    /// A refusal with a session.
    public static let sessionPresentWithError = Rule(
        "MQTT-3.2.2-6", v311: "MQTT-3.2.2-4", .protocolError, "CONNACK refuses, and says that there is a session")
}

// PUBLISH, and names of topics.
extension Rule {
    /// An empty topic name, and no alias in its place.
    public static let topicNameEmpty = Rule("§3.3.2.1", v311: "MQTT-4.7.3-1", .protocolError, "the topic name is empty")
    /// A wildcard in the topic name of PUBLISH.
    public static let topicNameWildcard = Rule("MQTT-3.3.2-2", "the topic name has a wildcard")
    /// A wildcard in a will's topic.
    public static let willTopicWildcard = Rule("MQTT-4.7.0-1", v311: "MQTT-4.7.1-1", "the will's topic has a wildcard")
    /// A will without a topic.
    public static let willTopicEmpty = Rule("MQTT-4.7.3-1", "the will's topic is empty")
    /// A name or filter of more than 65,535 bytes; no packet can hold one.
    public static let topicLength = Rule("MQTT-4.7.3-3", "a topic has more than 65,535 bytes")
}

// SUBSCRIBE, UNSUBSCRIBE, and filters.
extension Rule {
    /// A SUBSCRIBE for nothing.
    public static let subscribeEmpty = Rule("MQTT-3.8.3-2", v311: "MQTT-3.8.3-3", .protocolError, "SUBSCRIBE has no topic filter")
    /// An UNSUBSCRIBE from nothing.
    public static let unsubscribeEmpty = Rule("MQTT-3.10.3-2", .protocolError, "UNSUBSCRIBE has no topic filter")
    /// A SUBACK or UNSUBACK without a code.
    public static let reasonCodesEmpty = Rule(
        "MQTT-3.8.4-6", v311: "MQTT-3.8.4-5", .protocolError, "there is no code for any topic filter")
    /// Reserved bits of the subscription options.
    public static let subscriptionReservedBits = Rule(
        "MQTT-3.8.3-5", v311: "MQTT-3-8.3-4", "reserved bits of the subscription options are not 0")
    /// A subscription at "QoS 3".
    public static let subscriptionQoS = Rule("§3.8.3.1", v311: "MQTT-3-8.3-4", .protocolError, "a subscription asks for QoS 3")
    /// Retain Handling 3.
    public static let retainHandling = Rule("§3.8.3.1", .protocolError, "Retain Handling is 3")
    /// No Local with a share.
    public static let sharedNoLocal = Rule("MQTT-3.8.3-4", .protocolError, "a shared subscription has No Local")
    /// An empty filter.
    public static let topicFilterEmpty = Rule("MQTT-4.7.3-1", "a topic filter is empty")
    /// `#` not alone on the last level.
    public static let multiLevelWildcard = Rule("MQTT-4.7.1-1", v311: "MQTT-4.7.1-2", "# is not alone on the last level")
    /// `+` not alone on its level.
    public static let singleLevelWildcard = Rule("MQTT-4.7.1-2", v311: "MQTT-4.7.1-3", "+ is not alone on its level")
    /// `$share//…`.
    public static let shareNameEmpty = Rule("MQTT-4.8.2-1", "the name of the share is empty")
    /// A wildcard in the name of a share, or no filter behind it.
    public static let shareNameSyntax = Rule("MQTT-4.8.2-2", "the name of the share has a wildcard, or no filter behind it")
}
