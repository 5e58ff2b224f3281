import Libevent
import Testing

@Suite("Socket addresses")
struct SocketAddressTests {
    @Test(
        "is read and written",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::1]:80", "[::1]:80"),
            ("[::]:65535", "[::]:65535"),
            ("[2001:db8:0:0:0:0:0:1]:1", "[2001:db8::1]:1"), ("[::ffff:192.0.2.1]:5", "192.0.2.1:5"),
        ])
    func readAndWritten(text: String, written: String) throws {
        let address = try SocketAddress(parsing: text)
        #expect(address.description == written)
        #expect(try SocketAddress(parsing: written) == address)
    }

    @Test(
        "is refused",
        arguments: [
            "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1", "localhost:80",
            "::1:80", "[::1]",
            "[::1:80", "127.0.0:1", "127.0.0.1:8x", "[127.0.0.1]:80",
        ])
    func refused(text: String) {
        #expect(throws: LibeventError.invalidAddress(text)) { try SocketAddress(parsing: text) }
    }

    @Test("has a port, and the same address with another")
    func port() throws {
        let address = try SocketAddress(parsing: "127.0.0.1:1")
        #expect(address.port == 1)
        #expect(address.withPort(2) == (try SocketAddress(parsing: "127.0.0.1:2")))
        #expect(address != address.withPort(2))
        #expect(!address.isIPv6)
        #expect(SocketAddress(host: "::1", port: 3)?.description == "[::1]:3")
        #expect(SocketAddress(host: "nobody", port: 3) == nil)
    }
}
