import Base
import Testing

@Suite("addresses and their ranges")
struct AddressTests {
    @Test(
        "an address reads as it is written, and IPv4 in IPv6 is IPv4",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("2001:DB8::1", "2001:db8::1"), ("::1", "::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ])
    func address(text: String, written: String) {
        #expect(IPAddress(text)?.description == written)
    }

    @Test(
        "what is no address is none",
        arguments: ["", "localhost", "192.0.2", "192.0.2.256", "[::1]", "fe80::1%eth0", "1:2", " ::1", "192.0.2.1\0"])
    func noAddress(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "a range holds what begins with its bits, and nothing beside",
        arguments: [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:1"]),
            ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
            ("192.0.2.7/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1"]),
            ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff:ffff::1"], ["2001:db9::", "10.0.0.1"]),
            ("2001:db8::5/127", ["2001:db8::4", "2001:db8::5"], ["2001:db8::3", "2001:db8::6"]),
            ("2001:db8::/64", ["2001:db8::ffff:ffff:ffff:ffff"], ["2001:db8:0:1::"]),
            ("::1", ["::1"], ["::", "0.0.0.1"]), ("::/0", ["::1", "2001:db8::1"], ["127.0.0.1"]),
        ])
    func range(text: String, inside: [String], outside: [String]) throws {
        let range = try #require(AddressRange(text))
        for text in inside { #expect(range.contains(try #require(IPAddress(text))), "\(text)") }
        for text in outside { #expect(!range.contains(try #require(IPAddress(text))), "\(text)") }
    }

    @Test("it is written as CIDR, with what stands behind the prefix dropped")
    func written() {
        #expect(AddressRange("10.1.2.3/8")?.description == "10.0.0.0/8")
        #expect(AddressRange("192.0.2.7/32")?.description == "192.0.2.7")
        #expect(AddressRange("2001:db8:1::/33")?.description == "2001:db8::/33")
    }

    @Test(
        "a length that is none is refused",
        arguments: ["10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "::/+1", "10.0.0.0/٨"])
    func badLength(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
