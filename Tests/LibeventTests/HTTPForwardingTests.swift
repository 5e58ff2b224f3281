import Base
import Testing

@testable import Libevent

@Suite("Whom a proxy has seen")
struct HTTPForwardingTests {
    private static let ranges = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].compactMap { AddressRange($0) }

    @Test(
        "the last address that is no proxy's counts",
        arguments: [
            (["192.0.2.1"], "192.0.2.1"), (["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            (["192.0.2.1, 10.1.1.1,10.2.2.2"], "192.0.2.1"), (["192.0.2.1", "10.1.1.1"], "192.0.2.1"),
            (["203.0.113.9", "192.0.2.1 , fd00::1"], "192.0.2.1"), (["2001:db8::1"], "2001:db8::1"),
            (["192.0.2.1:4711"], "192.0.2.1"), (["[2001:db8::1]:4711, [fd00::1]"], "2001:db8::1"),
            // All are proxies: the first is nearest to the client.
            (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            // What stands before something unreadable nobody can tell.
            (["192.0.2.1, unknown, 10.1.1.1"], "10.1.1.1"), (["192.0.2.1, "], "127.0.0.1"), (["unknown"], "127.0.0.1"),
            (["192.0.2.1:x"], "127.0.0.1"), (["[192.0.2.1]"], "127.0.0.1"), (["192.0.2.1\0"], "127.0.0.1"),
            ([String(repeating: "1", count: 500)], "127.0.0.1"), ([""], "127.0.0.1"), ([], "127.0.0.1"),
        ])
    func client(values: [String], expected: String) throws {
        #expect(try client(HTTPForwarding(from: Self.ranges), "x-FORWARDED-for", values) == expected)
    }

    private func client(_ forwarding: HTTPForwarding, _ header: String, _ values: [String]) throws -> String {
        let peer = try #require(IPAddress("127.0.0.1"))
        return forwarding.client(of: peer) { take in
            for value in values {
                Array(header.utf8).withUnsafeBytes { name in Array(value.utf8).withUnsafeBytes { take(name, $0) } }
            }
        }.description
    }

    @Test(
        "of Forwarded (RFC 7239) the last address after for= that is no proxy's counts",
        arguments: [
            (["for=192.0.2.1"], "192.0.2.1"), (["For=192.0.2.1;proto=https;by=10.0.0.1"], "192.0.2.1"),
            (["proto=http;host=\"a.example\";FOR=192.0.2.1"], "192.0.2.1"), (["for=\"192.0.2.1:4711\""], "192.0.2.1"),
            (["for=\"[2001:db8::1]\""], "2001:db8::1"), (["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            (["for=\"192.0.2.1:_http\""], "192.0.2.1"), (["for=\"\\192.0.2.1\""], "192.0.2.1"),
            (["for=203.0.113.9, for=192.0.2.1"], "192.0.2.1"), (["for=192.0.2.1,for=10.1.1.1 , for=\"[fd00::1]\""], "192.0.2.1"),
            (["for=203.0.113.9", "for=192.0.2.1", "for=10.1.1.1"], "192.0.2.1"), (["for=192.0.2.1 ; by=_x", ""], "192.0.2.1"),
            (["for=192.0.2.1; by=_x;"], "192.0.2.1"), (["host=\"a,for=203.0.113.9\";for=192.0.2.1"], "192.0.2.1"),
            (["host=\"\\\",for=203.0.113.9\";for=192.0.2.1"], "192.0.2.1"),
            // All are proxies: the first is nearest to the client.
            (["for=10.1.1.1, for=10.2.2.2"], "10.1.1.1"), (["for=10.1.1.1", "for=10.2.2.2"], "10.1.1.1"),
            // A quote that a client has left open takes nothing of what its proxy says.
            (["for=\"", "for=192.0.2.1"], "192.0.2.1"), (["for=\", for=192.0.2.1"], "192.0.2.1"),
            (["x=\"203.0.113.9, for=\"[2001:db8::1]\""], "2001:db8::1"),
            // What stands before something unreadable nobody can tell.
            (["for=192.0.2.1, for=unknown, for=10.1.1.1"], "10.1.1.1"), (["for=192.0.2.1, for=_hidden"], "127.0.0.1"),
            (["for=192.0.2.1, ,"], "192.0.2.1"), (["for=192.0.2.1, ;"], "127.0.0.1"),
            (["for=192.0.2.1, by=10.0.0.1"], "127.0.0.1"),
            (["for=192.0.2.1;for=192.0.2.2"], "127.0.0.1"), (["for=192.0.2.1:80"], "127.0.0.1"),
            (["for=[2001:db8::1]"], "127.0.0.1"), (["for=\"2001:db8::1\""], "127.0.0.1"), (["for=\"[192.0.2.1]\""], "127.0.0.1"),
            (["for=\"[2001:db8::1\""], "127.0.0.1"), (["for=\"192.0.2.1:\""], "127.0.0.1"),
            (["for=\"192.0.2.1:_\""], "127.0.0.1"),
            (["for=\"192.0.2.1\"x"], "127.0.0.1"), (["for =192.0.2.1"], "127.0.0.1"), (["for= 192.0.2.1"], "127.0.0.1"),
            (["192.0.2.1"], "127.0.0.1"), (["for=\"192.0.2.1\\"], "127.0.0.1"), (["for="], "127.0.0.1"), ([], "127.0.0.1"),
            ([String(repeating: "\"", count: 501)], "127.0.0.1"), ([String(repeating: ",", count: 500)], "127.0.0.1"),
        ])
    func standard(values: [String], expected: String) throws {
        #expect(try client(HTTPForwarding(from: Self.ranges, header: "Forwarded"), "forwarded", values) == expected)
    }

    @Test("a peer that is no proxy says nothing about itself")
    func untrusted() throws {
        let forwarding = HTTPForwarding(from: Self.ranges)
        let peer = try #require(IPAddress("192.0.2.9"))
        let client = forwarding.client(of: peer) { _ in Issue.record("the headers are not looked at") }
        #expect(client == peer)
    }

    @Test("a request's exchange has the client's address, and without proxies the peer's")
    func exchange() async throws {
        try await withLoop { loop in
            let server = Describer(on: loop)
            let trusting = try await server.listen(forwarding: HTTPForwarding(from: Self.ranges, header: "X-Real-IP"))
            let other = try await server.listen()
            let request = "GET /client HTTP/1.1\r\nHost: h\r\nX-Real-Ip: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n"
            let client = try RawSocket(trusting)
            try client.send(request)
            #expect(try client.readAnswer().body == "192.0.2.1")
            let direct = try RawSocket(other)
            try direct.send(request)
            #expect(try direct.readAnswer().body == "127.0.0.1")
            await server.stop()
        }
    }
}
