import MQTT
import Testing

/// Which codes a packet may carry (MQTT 5.0 table 2-6; for DISCONNECT and AUTH, who sends them).
private struct Codes: Sendable, CustomTestStringConvertible {
    let name: String
    let receiver: Role
    let allowed: Set<UInt8>
    let packet: @Sendable (UInt8) -> [UInt8]

    var testDescription: String { "\(name) to a \(receiver)" }
}

private let puback: Set<UInt8> = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
private let fromClient: Set<UInt8> = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
private let fromServer: Set<UInt8> = [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
    0x9B,
    0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
]

private let tables: [Codes] = [
    Codes(
        name: "CONNACK", receiver: .client,
        allowed: [
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
            0x9C,
            0x9D, 0x9F,
        ], packet: { [0x20, 3, 0, $0, 0] }),
    Codes(name: "PUBACK", receiver: .server, allowed: puback, packet: { [0x40, 3, 0, 1, $0] }),
    Codes(name: "PUBREC", receiver: .client, allowed: puback, packet: { [0x50, 3, 0, 1, $0] }),
    Codes(name: "PUBREL", receiver: .server, allowed: [0x00, 0x92], packet: { [0x62, 3, 0, 1, $0] }),
    Codes(name: "PUBCOMP", receiver: .client, allowed: [0x00, 0x92], packet: { [0x70, 3, 0, 1, $0] }),
    Codes(
        name: "SUBACK", receiver: .client,
        allowed: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2], packet: { [0x90, 4, 0, 1, 0, $0] }),
    Codes(
        name: "UNSUBACK", receiver: .client, allowed: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91],
        packet: { [0xB0, 4, 0, 1, 0, $0] }),
    Codes(name: "DISCONNECT", receiver: .server, allowed: fromClient, packet: { [0xE0, 1, $0] }),
    Codes(name: "DISCONNECT", receiver: .client, allowed: fromServer, packet: { [0xE0, 1, $0] }),
    Codes(
        name: "AUTH", receiver: .server, allowed: [0x18, 0x19], packet: { [0xF0, 6, $0, 4, 0x15, 0, 1, 0x6D] }),
    Codes(
        name: "AUTH", receiver: .client, allowed: [0x00, 0x18], packet: { [0xF0, 6, $0, 4, 0x15, 0, 1, 0x6D] }),
]

@Suite("Reason codes")
struct ReasonCodeTests {
    @Test("a packet carries the codes of the standard's table, and no other", arguments: tables)
    private func allowed(_ table: Codes) {
        for code in UInt8.min...UInt8.max {
            var decoder = PacketDecoder(role: table.receiver, version: .v5)
            var consumed = 0
            let encoded = table.packet(code)
            do {
                let packet = try decoder.decode(encoded.span.bytes, consumed: &consumed)
                #expect(table.allowed.contains(code) && packet != nil, "\(code)")
            } catch {
                #expect(!table.allowed.contains(code) && error.rule == .reasonCode, "\(code)")
            }
        }
    }

    @Test("failures begin at 0x80")
    func failures() {
        #expect(ReasonCode.allCases.filter(\.isError).map(\.rawValue).min() == 0x80)
        #expect(ReasonCode.allCases.count == 43)
    }
}
