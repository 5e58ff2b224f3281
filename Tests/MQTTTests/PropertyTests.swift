import MQTT
import Testing

/// A property with a value that is right for it (MQTT 5.0 table 2-4).
private let properties: [(identifier: UInt8, encoded: String)] = [
    (0x01, "01 01"), (0x02, "02 00000001"), (0x03, "03 0001'a'"), (0x08, "08 0001'a'"), (0x09, "09 0001 00"), (0x0B, "0B 01"),
    (0x11, "11 00000001"), (0x12, "12 0001'a'"), (0x13, "13 0001"), (0x15, "15 0001'a'"), (0x16, "16 0001 00"), (0x17, "17 01"),
    (0x18, "18 00000001"), (0x19, "19 01"), (0x1A, "1A 0001'a'"), (0x1C, "1C 0001'a'"), (0x1F, "1F 0001'a'"), (0x21, "21 0001"),
    (0x22, "22 0001"), (0x23, "23 0001"), (0x24, "24 01"), (0x25, "25 01"), (0x26, "26 0001'a' 0001'b'"), (0x27, "27 00000001"),
    (0x28, "28 01"), (0x29, "29 01"), (0x2A, "2A 01"),
]

/// Which properties a packet may have, from the table of the standard, and how to make one with them.
private struct Place: Sendable, CustomTestStringConvertible {
    let name: String
    let receiver: Role
    let version: ProtocolVersion?
    let allowed: Set<UInt8>
    let first: UInt8
    let before: String
    let after: String

    func packet(_ properties: [UInt8]) -> [UInt8] {
        let body = bytes(before) + [UInt8(properties.count)] + properties + bytes(after)
        return [first, UInt8(body.count)] + body
    }

    var testDescription: String { "\(name) to a \(receiver)" }
}

private let reason: Set<UInt8> = [0x1F, 0x26]

private let places: [Place] = [
    Place(
        name: "CONNECT", receiver: .server, version: nil, allowed: [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
        first: 0x10, before: "0004'MQTT' 05 02 0000", after: "0000"),
    Place(
        name: "a will", receiver: .server, version: nil, allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26], first: 0x10,
        before: "0004'MQTT' 05 06 0000 00 0000", after: "0001't' 0000"),
    Place(
        name: "CONNACK", receiver: .client, version: .v5,
        allowed: [
            0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A,
        ], first: 0x20, before: "00 00", after: ""),
    Place(
        name: "PUBLISH", receiver: .server, version: .v5, allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26], first: 0x30,
        before: "0001't'", after: ""),
    Place(
        name: "PUBLISH", receiver: .client, version: .v5, allowed: [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26], first: 0x30,
        before: "0001't'", after: ""),
    Place(name: "PUBACK", receiver: .server, version: .v5, allowed: reason, first: 0x40, before: "0001 00", after: ""),
    Place(name: "PUBREC", receiver: .server, version: .v5, allowed: reason, first: 0x50, before: "0001 00", after: ""),
    Place(name: "PUBREL", receiver: .server, version: .v5, allowed: reason, first: 0x62, before: "0001 00", after: ""),
    Place(name: "PUBCOMP", receiver: .server, version: .v5, allowed: reason, first: 0x70, before: "0001 00", after: ""),
    Place(
        name: "SUBSCRIBE", receiver: .server, version: .v5, allowed: [0x0B, 0x26], first: 0x82, before: "0001",
        after: "0001'a' 00"),
    Place(name: "SUBACK", receiver: .client, version: .v5, allowed: reason, first: 0x90, before: "0001", after: "00"),
    Place(name: "UNSUBSCRIBE", receiver: .server, version: .v5, allowed: [0x26], first: 0xA2, before: "0001", after: "0001'a'"),
    Place(name: "UNSUBACK", receiver: .client, version: .v5, allowed: reason, first: 0xB0, before: "0001", after: "00"),
    Place(
        name: "DISCONNECT", receiver: .server, version: .v5, allowed: [0x11, 0x1C, 0x1F, 0x26], first: 0xE0, before: "00",
        after: ""),
    Place(
        name: "DISCONNECT", receiver: .client, version: .v5, allowed: [0x1C, 0x1F, 0x26], first: 0xE0, before: "00", after: ""),
    Place(
        name: "AUTH", receiver: .server, version: .v5, allowed: [0x15, 0x16, 0x1F, 0x26], first: 0xF0, before: "18", after: ""),
]

@Suite("Properties")
struct PropertyTests {
    private func decode(_ encoded: [UInt8], _ place: Place) throws(MQTTError) -> Packet? {
        var decoder = PacketDecoder(role: place.receiver, version: place.version)
        var consumed = 0
        return try decoder.decode(encoded.span.bytes, consumed: &consumed)
    }

    /// AUTH needs its method, and data needs a method.
    private func company(of identifier: UInt8, in place: Place) -> [UInt8] {
        if identifier == 0x15 || !place.allowed.contains(0x15) { return [] }
        return place.name == "AUTH" || identifier == 0x16 ? bytes("15 0001'm'") : []
    }

    @Test("a packet may have the properties of the standard's table, and no other", arguments: places)
    private func allowed(_ place: Place) throws {
        for property in properties {
            let encoded = place.packet(company(of: property.identifier, in: place) + bytes(property.encoded))
            if place.allowed.contains(property.identifier) {
                let packet = try #require(try decode(encoded, place), "\(property.encoded)")
                var again: [UInt8] = []
                packet.encode(version: .v5, into: &again)
                #expect(again == encoded, "\(property.encoded)")
            } else {
                #expect(throws: MQTTError.self, "\(property.encoded)") { try decode(encoded, place) }
            }
        }
    }

    @Test("a property comes once, but for user properties and a message's subscription identifiers", arguments: places)
    private func once(_ place: Place) throws {
        for property in properties where place.allowed.contains(property.identifier) {
            let company = company(of: property.identifier, in: place)
            let twice = place.packet(company + bytes(property.encoded) + bytes(property.encoded))
            if property.identifier == 0x26 || (property.identifier == 0x0B && place.name == "PUBLISH") {
                #expect(try decode(twice, place) != nil, "\(property.encoded)")
            } else {
                let error = #expect(throws: MQTTError.self, "\(property.encoded)") { try decode(twice, place) }
                #expect(error?.rule == .propertyTwice, "\(property.encoded)")
            }
        }
    }
}
