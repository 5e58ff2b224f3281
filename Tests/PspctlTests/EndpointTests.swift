import Testing

@testable import pspctl

@Suite("Where the server is")
struct EndpointTests {
    @Test(
        "an address is a URL or a host and a port",
        arguments: [
            ("http://10.0.0.7:8080", "10.0.0.7:8080"), ("http://push.example:80/", "push.example:80"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:8081", "[::1]:8081"), ("https://push.example:8443/", "https://push.example:8443"),
            ("https://[::1]:8444", "https://[::1]:8444"),
        ])
    func accepts(text: String, shown: String) {
        #expect(Endpoint(text)?.description == shown)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", "8080", "host", "host:0", "host:99999", ":80", "https://host", "ftp://host:1", "http://host:80/psp", "::1:80",
        ])
    func refuses(text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test("a server that listens on all addresses is reached by its loopback")
    func wildcard() {
        #expect(Endpoint("0.0.0.0:8080")?.reachable(isSecure: false) == Endpoint(host: "127.0.0.1", port: 8080))
        #expect(Endpoint("[::]:8080")?.reachable(isSecure: false) == Endpoint(host: "::1", port: 8080))
        #expect(Endpoint("0.0.0.0:1")?.reachable(isSecure: true) == Endpoint(host: "127.0.0.1", port: 1, isSecure: true))
        #expect(Endpoint("10.0.0.7:8080")?.reachable(isSecure: false) == Endpoint(host: "10.0.0.7", port: 8080))
    }
}
