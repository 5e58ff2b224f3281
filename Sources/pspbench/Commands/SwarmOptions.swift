internal import ArgumentParser
internal import Libevent
internal import MQTT

/// The flags that describe a swarm.
struct SwarmOptions: ParsableArguments {
    @Option(help: "The broker, for example 127.0.0.1:1883.")
    var to: String

    @Option(help: "How many devices.")
    var count = 1000

    @Option(help: "The number of the first device; {} stands for a device's number in every pattern.")
    var first = 0

    @Option(help: "The user name; 'none' sends none.")
    var user = "dev-{}"

    @Option(help: "The password; 'none' sends none.")
    var password = "secret-{}"

    @Option(help: "The client identifier.")
    var clientId = "dev-{}"

    @Option(help: "MQTT 4 (3.1.1) or 5.")
    var mqtt = 4

    @Flag(help: "Ask for the session of an earlier connection.")
    var keepSession = false

    @Option(help: "5.0: how long the session outlives the connection, in seconds.")
    var sessionExpiry: UInt32?

    @Option(help: "Keep-alive in seconds; 0: none.")
    var keepAlive = 0

    @Option(help: "Connections a second; 0: as fast as the broker answers.")
    var rate = 0.0

    @Option(help: "The most connections that wait for their CONNACK at a time.")
    var connecting = 200

    @Option(help: "What each device subscribes to, at QoS 1; without it nothing, as the push server needs none.")
    var subscribe: String?

    @Option(help: "The QoS to subscribe at.")
    var qos: UInt8 = 1

    @Option(help: "Speak TLS of this version alone, 1.2 or 1.3, to whatever server it is.")
    var tls: TLSVersion?

    @Option(help: "The cipher suite of TLS, as OpenSSL names it; else what both sides prefer.")
    var suite: String?

    @Flag(help: "Keep TLS sessions, and take them up in the handshakes of the order of that name.")
    var resume = false

    func validate() throws {
        guard mqtt == 4 || mqtt == 5 else { throw ValidationError("--mqtt is 4 or 5.") }
        guard QoS(rawValue: qos) != nil else { throw ValidationError("--qos is 0, 1 or 2.") }
        guard count > 0, first >= 0, rate >= 0, connecting > 0, (0...65535).contains(keepAlive) else {
            throw ValidationError(
                "--count and --connecting are at least 1, --rate and --first at least 0, --keep-alive at most 65535.")
        }
        if let subscribe, TopicFilter(SwarmPlan.fill(subscribe, 0)) == nil {
            throw ValidationError("--subscribe is no topic filter.")
        }
    }

    /// What the flags say.
    func plan() throws -> SwarmPlan {
        var plan = SwarmPlan(address: try SocketAddress(parsing: to), count: count)
        plan.first = first
        plan.userName = user == "none" ? nil : user
        plan.password = password == "none" ? nil : password
        plan.clientIdentifier = clientId
        plan.version = mqtt == 5 ? .v5 : .v311
        plan.cleanStart = !keepSession
        plan.sessionExpiry = sessionExpiry
        plan.keepAlive = keepAlive
        plan.rate = rate
        plan.connecting = connecting
        plan.filter = subscribe
        plan.qos = QoS(rawValue: qos) ?? .atLeastOnce
        plan.security = try security()
        return plan
    }

    private func security() throws(TLSError) -> TLSClientContext? {
        guard let version = tls?.version else { return nil }
        var policy = TLSPolicy()
        policy.minimum = version
        if let suite {
            if version == .v1_3 { policy.suites = suite } else { policy.ciphers = suite }
        }
        return try TLSClientContext(trusting: .anyone, for: .mqtt, policy, maximum: version, resumes: resume)
    }
}

/// A version of TLS, as a flag.
struct TLSVersion: ExpressibleByArgument {
    let version: TLSPolicy.Version

    init?(argument: String) {
        guard let version = TLSPolicy.Version(rawValue: argument) else { return nil }
        self.version = version
    }
}

extension SwarmOptions {
    /// The flags as another process of the same swarm is to have them; without number, first and rate, which differ.
    var shared: [String] {
        var flags = [
            "--to", to, "--user", user, "--password", password, "--client-id", clientId, "--mqtt", "\(mqtt)", "--keep-alive",
            "\(keepAlive)",
            "--connecting", "\(connecting)", "--qos", "\(qos)",
        ]
        if keepSession { flags.append("--keep-session") }
        if let sessionExpiry { flags += ["--session-expiry", "\(sessionExpiry)"] }
        if let subscribe { flags += ["--subscribe", subscribe] }
        if let tls { flags += ["--tls", tls.version.rawValue] }
        if let suite { flags += ["--suite", suite] }
        if resume { flags.append("--resume") }
        return flags
    }
}
