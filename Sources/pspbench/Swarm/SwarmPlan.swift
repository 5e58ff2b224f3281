internal import Libevent
internal import MQTT

/// What a swarm is to do.
struct SwarmPlan: Sendable {
    /// The broker.
    var address: SocketAddress
    /// How many devices, and the first one's number.
    var count: Int
    var first = 0
    /// `{}` stands for the device's number.
    var userName: String? = "dev-{}"
    var password: String? = "secret-{}"
    var clientIdentifier = "dev-{}"
    var version = ProtocolVersion.v311
    var cleanStart = true
    /// Of 5.0: for how long the session outlives the connection, in seconds.
    var sessionExpiry: UInt32?
    /// Seconds; 0: none.
    var keepAlive = 0
    /// Connections a second; 0: as fast as the broker answers.
    var rate = 0.0
    /// The most connections that wait for their CONNACK at a time.
    var connecting = 200
    /// What each device subscribes to; nil: nothing. `{}` stands for its number.
    var filter: String?
    var qos = QoS.atLeastOnce
    /// nil: in clear.
    var security: TLSClientContext?

    /// `pattern` with the device's number.
    static func fill(_ pattern: String, _ number: Int) -> String {
        guard let hole = pattern.firstRange(of: "{}") else { return pattern }
        return pattern[..<hole.lowerBound] + String(number) + pattern[hole.upperBound...]
    }

    /// The local address that a device connects from. To a broker on the loopback, a thousand devices share one of 127.0.1.1 and
    /// following, so that no address runs out of ports; to any other, `nil`: the system chooses.
    func source(of number: Int) -> SocketAddress? {
        guard address.host.hasPrefix("127.") else { return nil }
        let block = number / 1000
        return SocketAddress(host: "127.\(block / 62500 % 250).\(1 + block / 250 % 250).\(1 + block % 250)", port: 0)
    }

    /// Everything that a device sends before it is ready.
    func greeting(of number: Int) -> [UInt8] {
        var connect = Connect(
            version: version, clientIdentifier: Self.fill(clientIdentifier, number), cleanStart: cleanStart,
            keepAlive: UInt16(clamping: keepAlive), userName: userName.map { Self.fill($0, number) },
            password: password.map { Array(Self.fill($0, number).utf8) })
        if version == .v5 { connect.properties.sessionExpiryInterval = sessionExpiry }
        var bytes: [UInt8] = []
        Packet.connect(connect).encode(version: version, into: &bytes)
        return bytes
    }

    /// The SUBSCRIBE of a device; nil when it needs none.
    func subscription(of number: Int) -> [UInt8]? {
        guard let filter, let filter = TopicFilter(Self.fill(filter, number), version: version) else { return nil }
        var bytes: [UInt8] = []
        let subscribe = Subscribe(packetID: 1, subscriptions: [Subscription(filter, qos: qos)])
        Packet.subscribe(subscribe).encode(version: version, into: &bytes)
        return bytes
    }
}
