import Testing

@testable import Libevent

@Suite("What a proxy says of a connection")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static func version2(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 255)] + rest
    }

    private static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 0x07, 0x5B]
    private static let v6 =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 9, count: 16)
        + [0x12, 0x67, 0x07, 0x5B]
    private static let extensions: [UInt8] = [0x04, 0, 2, 7, 7] + [0xE0, 0x01, 0] + [UInt8](repeating: 1, count: 256)

    private struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        /// Nil: the proxy's own.
        let client: String?
        var testDescription: String { name }
    }

    private static let good: [Case] = [
        Case(name: "TCP4", bytes: line("TCP4 192.0.2.1 198.51.100.2 4711 1883"), client: "192.0.2.1:4711"),
        Case(name: "TCP6", bytes: line("TCP6 2001:db8::1 ::1 4711 1883"), client: "[2001:db8::1]:4711"),
        Case(name: "TCP6 of IPv4", bytes: line("TCP6 ::ffff:192.0.2.1 ::1 0 65535"), client: "192.0.2.1:0"),
        Case(name: "UNKNOWN", bytes: line("UNKNOWN"), client: nil),
        Case(name: "UNKNOWN and more", bytes: line("UNKNOWN ffff:f...f:ffff 65535 x"), client: nil),
        Case(name: "IPv4", bytes: version2(0x21, 0x11, v4), client: "192.0.2.1:4711"),
        Case(name: "IPv4 with TLVs", bytes: version2(0x21, 0x11, v4 + extensions), client: "192.0.2.1:4711"),
        Case(name: "IPv6", bytes: version2(0x21, 0x21, v6), client: "[2001:db8::1]:4711"),
        Case(name: "IPv6 with TLVs", bytes: version2(0x21, 0x21, v6 + extensions), client: "[2001:db8::1]:4711"),
        Case(name: "LOCAL", bytes: version2(0x20, 0x00, []), client: nil),
        Case(name: "LOCAL with an address", bytes: version2(0x20, 0x11, v4 + extensions), client: nil),
        Case(name: "UNSPEC", bytes: version2(0x21, 0x00, extensions), client: nil),
        Case(name: "UNIX", bytes: version2(0x21, 0x31, [UInt8](repeating: 1, count: 216)), client: nil),
        Case(
            name: "4,096 bytes", bytes: version2(0x21, 0x11, v4 + [UInt8](repeating: 0, count: 4_084)),
            client: "192.0.2.1:4711"),
    ]

    private static func line(_ text: String) -> [UInt8] { Array("PROXY \(text)\r\n".utf8) }

    /// - Returns: what the header says, and how many bytes were taken.
    private func read(_ bytes: [UInt8], by size: Int) throws(ProxyHeaderFault) -> (ProxyHeader.Source?, taken: Int) {
        var header = ProxyHeader()
        var taken = 0
        for start in stride(from: 0, to: bytes.count, by: size) where header.source == nil {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            let result = piece.withUnsafeBytes { bytes in
                Result { () throws(ProxyHeaderFault) in try header.take(bytes) }
            }
            taken += try result.get()
        }
        return (header.source, taken)
    }

    @Test("what the standard has is read, byte by byte and in one piece, and no byte behind it", arguments: good)
    private func read(_ header: Case) throws {
        for size in [1, 7, 100_000] {
            let (source, taken) = try read(header.bytes + Array("behind".utf8), by: size)
            #expect(taken == header.bytes.count)
            switch source {
            case .client(let client): #expect(client.description == header.client)
            case .proxy: #expect(header.client == nil)
            case nil: Issue.record("it has all come")
            }
            // Without its last byte it is not complete.
            #expect(try read(Array(header.bytes.dropLast()), by: size).0 == nil)
        }
    }

    @Test(
        "what is malformed is refused",
        arguments: [
            [0x10], Array("GET / HTTP/1.1\r\n".utf8), Array("PROXZ".utf8), Array("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n".utf8),
            line(""), line("TCP4"), line("TCP5 1.1.1.1 1.1.1.1 1 1"), line("TCP4 1.1.1.1 1.1.1.1 1"),
            line("TCP4 1.1.1.1 1.1.1.1 1 1 1"), line("TCP4 1.1.1.1  1.1.1.1 1 1"), line("TCP4 ::1 ::1 1 1"),
            line("TCP6 1.1.1.1 1.1.1.1 1 1"), line("TCP4 1.1.1 1.1.1.1 1 1"), line("TCP4 1.1.1.1 x 1 1"),
            line("TCP4 1.1.1.1 1.1.1.1 65536 1"), line("TCP4 1.1.1.1 1.1.1.1 1 -1"), line("TCP4 1.1.1.1 1.1.1.1 01 1"),
            line("TCP4 1.1.1.1 1.1.1.1 1 "), Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x20, count: 93),
            signature.dropLast() + [0x0B], version2(0x11, 0x11, v4), version2(0x22, 0x11, v4), version2(0x21, 0x12, v4),
            version2(0x21, 0x41, v4), version2(0x21, 0x13, v4), version2(0x21, 0x11, [], length: 11),
            version2(0x21, 0x21, [], length: 35), version2(0x21, 0x11, [], length: 4_097),
            version2(0x20, 0x00, [], length: 65_535),
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        for size in [1, 100_000] {
            #expect(throws: ProxyHeaderFault.malformed) { try read(bytes, by: size) }
        }
    }

    @Test("a line of 107 bytes is read, with its end")
    func longestLine() throws {
        let text = "UNKNOWN " + String(repeating: "x", count: 107 - 8 - 8)
        #expect(Self.line(text).count == 107)
        #expect(try read(Self.line(text), by: 1).0 == .proxy)
    }
}
