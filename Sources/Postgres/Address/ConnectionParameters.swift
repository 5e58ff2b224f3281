/// What libpq is given for one attempt: the address's own parameters, then what they leave open.
struct ConnectionParameters {
    private(set) var keywords: [String] = []
    private(set) var values: [String] = []

    init(_ options: PostgresOptions, password: String?, _ endpoint: Endpoint) {
        for (keyword, value) in options.address.parameters where keyword != "connect_timeout" { set(keyword, to: value) }
        if !endpoint.host.isEmpty { set("host", to: endpoint.host) }
        if !endpoint.address.isEmpty { set("hostaddr", to: endpoint.address) }
        if !endpoint.port.isEmpty { set("port", to: endpoint.port) }
        if let password { replace("password", by: password) }
        set("application_name", to: options.applicationName)
        set("target_session_attrs", to: options.targetSessionAttributes)
        set("tcp_user_timeout", to: String(Int(options.userTimeout / .milliseconds(1))))
        set("keepalives", to: "1")
        set("keepalives_idle", to: String(seconds(options.keepAlive.idle)))
        set("keepalives_interval", to: String(seconds(options.keepAlive.interval)))
        set("keepalives_count", to: String(options.keepAlive.count))
        // Kerberos would be asked over the network, blocking, at each attempt.
        set("gssencmode", to: "disable")
        replace("client_encoding", by: "UTF8")
        if !options.settings.isEmpty { append(options.settings) }
    }

    /// Sets what is not set.
    private mutating func set(_ keyword: String, to value: String) {
        guard !keywords.contains(keyword) else { return }
        keywords.append(keyword)
        values.append(value)
    }

    private mutating func replace(_ keyword: String, by value: String) {
        guard let index = keywords.firstIndex(of: keyword) else { return set(keyword, to: value) }
        values[index] = value
    }

    /// Settings as the server's command line has them, behind those of the address (`options`).
    private mutating func append(_ settings: [(name: String, value: String)]) {
        let index = keywords.firstIndex(of: "options")
        var words = index.map { [values[$0]] } ?? []
        for (name, value) in settings {
            let escaped = value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
            words.append("-c \(name)=\(escaped)")
        }
        replace("options", by: words.joined(separator: " "))
    }

    private func seconds(_ duration: Duration) -> Int { max(1, Int(duration / .seconds(1))) }
}
