/// Reads the properties of one packet: their length, then identifiers and values (MQTT 5.0 §2.2.2).
///
/// Each kind of properties walks `next()` and takes the values that it knows; its `switch` is the list of what the packet may
/// have.
struct PropertyReader {
    private var reader: ByteReader
    /// One bit for each identifier that has come; the highest is 42.
    private var seen: UInt64 = 0
    private let repeatsSubscriptionIdentifier: Bool

    /// Takes the properties off the front of `reader`. Only a PUBLISH to a client may repeat its subscription identifier (MQTT
    /// 5.0 §3.3.2.3.8).
    init(_ reader: inout ByteReader, repeatsSubscriptionIdentifier: Bool = false) throws(MQTTError) {
        self.reader = try reader.properties()
        self.repeatsSubscriptionIdentifier = repeatsSubscriptionIdentifier
    }

    var role: Role { reader.role }

    func violation(_ rule: Rule) -> MQTTError { reader.violation(rule) }

    /// The next property's identifier, whose value is to be read next; nil at the end.
    mutating func next() throws(MQTTError) -> PropertyIdentifier? {
        if reader.isAtEnd { return nil }
        let raw = try reader.variableByteInteger()
        guard let code = UInt8(exactly: raw), let identifier = PropertyIdentifier(rawValue: code) else {
            throw violation(.propertyNotAllowed)
        }
        let bit: UInt64 = 1 << UInt64(code)
        if seen & bit != 0, !isRepeatable(identifier) { throw violation(.propertyTwice) }
        seen |= bit
        return identifier
    }

    private func isRepeatable(_ identifier: PropertyIdentifier) -> Bool {
        identifier == .userProperty || (identifier == .subscriptionIdentifier && repeatsSubscriptionIdentifier)
    }

    mutating func uint8() throws(MQTTError) -> UInt8 { try reader.uint8() }
    mutating func uint16() throws(MQTTError) -> UInt16 { try reader.uint16() }
    mutating func uint32() throws(MQTTError) -> UInt32 { try reader.uint32() }
    mutating func string() throws(MQTTError) -> String { try reader.string() }
    mutating func binary() throws(MQTTError) -> [UInt8] { try reader.binary() }

    mutating func userProperty() throws(MQTTError) -> UserProperty {
        UserProperty(try string(), try string())
    }

    /// A value that is 0 or 1; any other breaks `rule`.
    mutating func boolean(orElse rule: Rule = .propertyBoolean) throws(MQTTError) -> Bool {
        switch try uint8() {
        case 0: false
        case 1: true
        default: throw violation(rule)
        }
    }

    /// A value that is not 0; 0 breaks `rule`.
    mutating func uint16(notZero rule: Rule) throws(MQTTError) -> UInt16 {
        let value = try uint16()
        guard value != 0 else { throw violation(rule) }
        return value
    }

    /// A value that is not 0; 0 breaks `rule`.
    mutating func uint32(notZero rule: Rule) throws(MQTTError) -> UInt32 {
        let value = try uint32()
        guard value != 0 else { throw violation(rule) }
        return value
    }

    mutating func subscriptionIdentifier() throws(MQTTError) -> UInt32 {
        let value = try reader.variableByteInteger()
        guard value != 0 else { throw violation(.subscriptionIdentifierZero) }
        return UInt32(value)
    }

    mutating func responseTopic() throws(MQTTError) -> String {
        let topic = try reader.name()
        guard TopicName.fault(of: topic) == nil else { throw violation(.responseTopic) }
        return topic
    }
}
