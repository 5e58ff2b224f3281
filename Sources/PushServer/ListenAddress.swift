internal import Glibc

/// Where a listener binds: a numeric address and a port, `127.0.0.1:8080` or `[::1]:8080`. Port 0 asks for a free one.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Numeric IPv4 or IPv6, without brackets.
    public let host: String
    /// 0 asks for a free one.
    public let port: UInt16

    /// - Parameter host: numeric, without brackets.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Names are not looked up: what a listener binds must not depend on a resolver.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            var address = in6_addr()
            guard inet_pton(AF_INET6, host, &address) == 1 else { return nil }
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, host, &address) == 1 else { return nil }
        }
        self.init(host: host, port: port)
    }

    /// As a setting and a URL write it.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
