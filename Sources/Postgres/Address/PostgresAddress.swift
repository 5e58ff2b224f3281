internal import CLibpq

/// Where a PostgreSQL is and how it is spoken to: libpq's URI or `keyword=value` text, with any number of hosts.
///
/// `postgres://psp@db1,db2:5433/psp?sslmode=verify-full&sslrootcert=/etc/psp/ca.pem`
///
/// What the text does not say is libpq's default, which the environment (`PGUSER`…) may set.
public struct PostgresAddress: Sendable, CustomStringConvertible {
    /// Why a text is no address.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// libpq's words.
        public let description: String
    }

    /// A host as the text names it.
    struct Host: Hashable, Sendable, CustomStringConvertible {
        /// A name, an address or a socket's directory; empty: libpq's default.
        let name: String
        /// The numeric address, where the text has it beside the name.
        let address: String
        let port: String

        /// As people name it, with the address where several have the name.
        var description: String {
            let place = name.isEmpty ? address : name
            if place.isEmpty { return port.isEmpty ? "libpq's default" : "libpq's default:\(port)" }
            let bracketed = place.contains(":") ? "[\(place)]" : place
            let whole = port.isEmpty ? place : "\(bracketed):\(port)"
            return address.isEmpty || name.isEmpty || name == address ? whole : "\(whole) (\(address))"
        }
    }

    /// As it was given; nil: it is one host of several, and nobody has named it so.
    private let text: String?
    let hosts: [Host]
    /// All others that are set, in libpq's order.
    let parameters: [(keyword: String, value: String)]

    /// - Parameter text: as libpq takes it (PostgreSQL documentation, "Connection Strings"). Its parameters' values are judged
    ///   too, without asking the network: what is wrong in itself would be wrong at each attempt to connect.
    public init(parsing text: String) throws(Malformed) {
        var message: UnsafeMutablePointer<CChar>?
        defer { PQfreemem(message) }
        guard let options = PQconninfoParse(text, &message) else {
            throw Malformed(description: message.map { String(cString: $0).trimmed } ?? "out of memory")
        }
        defer { PQconninfoFree(options) }
        var found: [(keyword: String, value: String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found.append((String(cString: keyword), String(cString: value))) }
            option += 1
        }
        func list(_ keyword: String) -> [String] {
            guard let value = found.first(where: { $0.keyword == keyword })?.value, !value.isEmpty else { return [] }
            return value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        self.text = text
        hosts = try Self.hosts(names: list("host"), addresses: list("hostaddr"), ports: list("port"))
        parameters = found.filter { !["host", "hostaddr", "port"].contains($0.keyword) }
        try judge()
    }

    init(of host: Host, _ parameters: [(keyword: String, value: String)]) {
        (hosts, self.parameters) = ([host], parameters)
        text = nil
    }

    /// Whether the text has a secret in it, which others can see in the list of processes.
    public var hasPassword: Bool { self["password"] != nil || self["sslpassword"] != nil }

    /// Whether there is another host where one is of no use.
    public var namesSeveralHosts: Bool { hosts.count > 1 }

    /// The value that the text gives to a keyword.
    public subscript(keyword: String) -> String? { parameters.first { $0.keyword == keyword }?.value }

    /// The text with all its parameters, as others are to name it again; without them where one is a secret.
    public var pasteable: String { hasPassword ? description : text ?? description }

    /// Hosts, database and user; no secret.
    public var description: String {
        "postgres://" + (self["user"].map { "\($0)@" } ?? "") + hostNames + (self["dbname"].map { "/\($0)" } ?? "")
    }

    /// The hosts, with their ports where the text has them.
    public var hostNames: String { hosts.map(\.description).joined(separator: ",") }

    /// As libpq pairs them: as many addresses as names, and one port for all or one for each.
    private static func hosts(names: [String], addresses: [String], ports: [String]) throws(Malformed) -> [Host] {
        let count = max(names.count, addresses.count, 1)
        guard names.isEmpty || addresses.isEmpty || names.count == addresses.count else {
            throw Malformed(description: "there are \(names.count) host names, but \(addresses.count) hostaddr values")
        }
        guard ports.count <= 1 || ports.count == count else {
            throw Malformed(description: "there are \(count) hosts, but \(ports.count) ports")
        }
        return (0..<count).map { index in
            Host(
                name: names.isEmpty ? "" : names[index], address: addresses.isEmpty ? "" : addresses[index],
                port: ports.count > 1 ? ports[index] : ports.first ?? "")
        }
    }
}
