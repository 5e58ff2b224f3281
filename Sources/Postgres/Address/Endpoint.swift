internal import Glibc

/// One host by one address: what a single attempt to connect is made to. libpq tries several in one go, but only blocking, and
/// without telling a caller that does not block when one has had its time.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// What certificates are compared with; empty: libpq's default.
    let host: String
    /// Numeric; empty: `host` needs no resolution.
    let address: String
    let port: String

    var description: String {
        if host.isEmpty, address.isEmpty { return port.isEmpty ? "local socket" : "local socket port \(port)" }
        let name = host.isEmpty ? address : host
        let place = address.isEmpty || address == host || name == address ? name : "\(name) (\(address))"
        return port.isEmpty ? place : "\(place) port \(port)"
    }

    /// All addresses of a host. Asks the resolver, and so may block for seconds.
    static func resolve(_ host: PostgresAddress.Host) throws(Unresolved) -> [Endpoint] {
        let isPath = host.name.isEmpty || host.name.hasPrefix("/") || host.name.hasPrefix("@")
        guard host.address.isEmpty, !isPath else {
            return [Endpoint(host: host.name, address: host.address, port: host.port)]
        }
        return try addresses(of: host.name).map { Endpoint(host: host.name, address: $0, port: host.port) }
    }

    /// A name that has no address, or none now.
    struct Unresolved: Error, CustomStringConvertible {
        let description: String
    }

    private static func addresses(of name: String) throws(Unresolved) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &first)
        guard result == 0 else { throw Unresolved(description: "\(name): \(String(cString: gai_strerror(result)))") }
        defer { freeaddrinfo(first) }
        var found: [String] = []
        var entry = first
        while let current = entry?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let flags = NI_NUMERICHOST
            if getnameinfo(current.ai_addr, current.ai_addrlen, &text, socklen_t(text.count), nil, 0, flags) == 0 {
                let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if !found.contains(address) { found.append(address) }
            }
            entry = current.ai_next
        }
        return found
    }
}
