internal import CLibpq
internal import Glibc

// What libpq makes of an address's parameters. It parses an address without looking at most values, and complains of them when it
// connects.

extension PostgresAddress {
    /// Whether the parameters have values that libpq takes.
    /// - Throws: libpq's words, or the same of what it would find out later still.
    func judge() throws(Malformed) {
        for host in hosts where !host.port.isEmpty {
            guard let port = Int(host.port), (1...65_535).contains(port) else {
                throw Malformed(description: "invalid port number: \"\(host.port)\"")
            }
        }
        for (keyword, value) in parameters {
            // Both are looked at when a socket is made, or not at all.
            if Self.numbers.contains(keyword), Int32(value) == nil {
                throw Malformed(description: "invalid integer value \"\(value)\" for connection option \"\(keyword)\"")
            }
            if Self.switches.contains(keyword), !["0", "1"].contains(value) {
                throw Malformed(description: "invalid value \"\(value)\" for connection option \"\(keyword)\": 0 or 1")
            }
        }
        if let complaint { throw Malformed(description: complaint) }
    }

    private static let numbers: Set = [
        "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
    ]
    private static let switches: Set = ["sslcompression", "sslsni"]

    /// What libpq says of the others before it looks for a host; nil: nothing.
    private var complaint: String? {
        // A socket in a directory that there is not: nobody is asked, and what libpq says of that names it.
        let nowhere = "/nowhere-\(UInt64.random(in: .min ... .max))"
        let keywords = parameters.map(\.keyword) + ["host"]
        let values = parameters.map(\.value) + [nowhere]
        let started = keywords.withCStrings { keywords in
            values.withCStrings { values in PQconnectStartParams(keywords, values, 0) }
        }
        guard let started else { return nil }
        defer { PQfinish(started) }
        let words = String(cString: PQerrorMessage(started)).trimmed
        return words.contains(nowhere) ? nil : words
    }

    /// A file of TLS that the address names and that cannot be read, with the system's reason.
    public var unreadableFile: (keyword: String, path: String, code: Int32)? {
        guard self["sslmode"] != "disable" else { return nil }
        for keyword in ["sslrootcert", "sslcert", "sslkey", "sslcrl"] {
            // `system`: the authorities that the system trusts; with a colon: a key in a device.
            guard let path = self[keyword], !path.isEmpty, path != "system", !(keyword == "sslkey" && path.contains(":")) else {
                continue
            }
            if access(path, R_OK) != 0 { return (keyword, path, errno) }
        }
        return nil
    }
}
