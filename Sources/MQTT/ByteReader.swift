/// Reads the fields of one packet whose bytes have all arrived. It never reads past them: a field that would is a violation.
///
/// It borrows its memory from the caller of ``PacketDecoder/decode(_:consumed:)`` and does not outlive that call.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private var end: Int
    /// Whether these are the properties of a packet: what does not fit then breaks the rule of their length, although the
    /// packet may go on.
    private var isProperties = false
    let packet: PacketType
    /// The side that reads.
    let role: Role
    /// Nil until a CONNECT has told its level.
    var version: ProtocolVersion?

    init(_ bytes: UnsafeRawBufferPointer, range: Range<Int>, packet: PacketType, role: Role, version: ProtocolVersion?) {
        self.bytes = bytes
        self.offset = range.lowerBound
        self.end = range.upperBound
        self.packet = packet
        self.role = role
        self.version = version
    }

    var isAtEnd: Bool { offset == end }

    func violation(_ rule: Rule) -> MQTTError { .violation(rule, packet: packet, version: version) }

    private var tooShort: MQTTError { violation(isProperties ? .propertyLength : .packetTooShort) }

    /// Advances over `count` bytes and tells where they begin.
    private mutating func advance(by count: Int) throws(MQTTError) -> Int {
        guard count <= end - offset else { throw tooShort }
        let start = offset
        offset += count
        return start
    }

    mutating func uint8() throws(MQTTError) -> UInt8 {
        bytes[try advance(by: 1)]
    }

    mutating func uint16() throws(MQTTError) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: try advance(by: 2), as: UInt16.self))
    }

    mutating func uint32() throws(MQTTError) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: try advance(by: 4), as: UInt32.self))
    }

    /// A variable byte integer in the minimal form (MQTT 5.0 §1.5.5).
    mutating func variableByteInteger() throws(MQTTError) -> Int {
        switch VariableByteInteger.decode(bytes, at: offset, end: end) {
        case .value(let value, let length, let isMinimal):
            guard isMinimal else { throw violation(.variableByteIntegerMinimal) }
            offset += length
            return value
        case .needsMore: throw tooShort
        case .tooLong: throw violation(.variableByteIntegerLength)
        }
    }

    /// A UTF-8 string with its length before it (MQTT 5.0 §1.5.4). A byte order mark stays [MQTT-1.5.4-3].
    mutating func string() throws(MQTTError) -> String {
        let count = Int(try uint16())
        let start = try advance(by: count)
        let slice = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        if slice.isPrintableASCII { return String(decoding: slice, as: UTF8.self) }
        guard let text = String(validating: slice, as: UTF8.self) else { throw violation(.stringUTF8) }
        if slice.contains(0) { throw violation(.stringNull) }
        return text
    }

    /// A string that names something: a client, a user, a topic. The standard lets a receiver refuse control characters and
    /// noncharacters (MQTT 5.0 §1.5.4); in a name they only do harm, so they are refused there, and pass in free text.
    mutating func name() throws(MQTTError) -> String {
        let text = try string()
        // Nearly every name is ASCII, where a byte is a character.
        let isFine = text.utf8.allSatisfy { 0x20..<0x7F ~= $0 } || !text.unicodeScalars.contains(where: \.isDisallowed)
        guard isFine else { throw violation(.nameCharacters) }
        return text
    }

    /// Binary data with its length before it (MQTT 5.0 §1.5.6).
    mutating func binary() throws(MQTTError) -> [UInt8] {
        let count = Int(try uint16())
        let start = try advance(by: count)
        return Array(bytes[start..<start + count])
    }

    /// All that is left.
    mutating func remainder() -> [UInt8] {
        defer { offset = end }
        return Array(bytes[offset..<end])
    }

    mutating func packetID() throws(MQTTError) -> UInt16 {
        let packetID = try uint16()
        guard packetID != 0 else { throw violation(.packetIdentifierZero) }
        return packetID
    }

    mutating func reasonCode() throws(MQTTError) -> ReasonCode {
        guard let code = ReasonCode(rawValue: try uint8()), code.isAllowed(in: packet, to: role) else {
            throw violation(.reasonCode)
        }
        return code
    }

    /// Splits off the properties, whose length comes first (MQTT 5.0 §2.2.2.1).
    mutating func properties() throws(MQTTError) -> ByteReader {
        let length = try variableByteInteger()
        guard length <= end - offset else { throw violation(.propertyLength) }
        var properties = self
        properties.end = offset + length
        properties.isProperties = true
        offset += length
        return properties
    }
}

extension UnsafeRawBufferPointer {
    /// Whether nothing else has to be asked of a string.
    fileprivate var isPrintableASCII: Bool { allSatisfy { 0x20..<0x7F ~= $0 } }
}

extension Unicode.Scalar {
    /// "Disallowed Unicode code points" of MQTT 5.0 §1.5.4.
    fileprivate var isDisallowed: Bool {
        switch value {
        case 0x20..<0x7F: false
        case ...0x9F: true
        case 0xFDD0...0xFDEF: true
        default: value & 0xFFFE == 0xFFFE
        }
    }
}
