/// A host and a port that a server listens on.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    let host: String
    let port: UInt16
    /// Whether it speaks TLS.
    let isSecure: Bool

    init(host: String, port: UInt16, isSecure: Bool = false) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
    }

    /// Takes `http://HOST:PORT`, `https://HOST:PORT`, `HOST:PORT` or `[IPv6]:PORT`; `nil` where it is none of these.
    init?(_ text: String) {
        let isSecure = text.hasPrefix("https://")
        var rest = text[...]
        for scheme in ["http://", "https://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(where: { $0 == ":" || $0 == "/" }) {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port, isSecure: isSecure)
    }

    /// Where to connect for what a server of this machine says it listens on: a wildcard address is its loopback.
    /// - Parameter isSecure: whether it is a listener with TLS.
    func reachable(isSecure: Bool) -> Endpoint {
        let host =
            switch host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            default: host
            }
        return Endpoint(host: host, port: port, isSecure: isSecure)
    }

    var description: String { (isSecure ? "https://" : "") + authority }

    /// As a Host header has it.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
