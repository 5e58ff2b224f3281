public import Base
public import Libevent
public import Logging
public import Push

/// Everything that can be set, with the defaults of a `pspd` that was told nothing.
public struct ServerConfiguration: Hashable, Sendable {
    /// REST listener; `nil`: there is none.
    public var http: SocketAddress? = .literal("0.0.0.0", 8080)
    /// Device listener; `nil`: there is none.
    public var mqtt: SocketAddress? = .literal("0.0.0.0", 1883)
    /// Operators' listener.
    public var admin = SocketAddress.literal("127.0.0.1", 8081)
    /// REST listener with TLS; `nil`: there is none.
    public var https: SocketAddress?
    /// Device listener with TLS; `nil`: there is none.
    public var mqtts: SocketAddress?
    /// Operators' listener with TLS; `nil`: there is none.
    public var admins: SocketAddress?
    /// What these three show and negotiate.
    public var tls = TLSSettings()
    /// Balancers that say by the PROXY protocol whose connections to the device listeners are.
    public var devicesProxies: [AddressRange] = []
    /// Balancers that tell in a header whose requests are.
    public var callersProxies: [AddressRange] = []
    /// That header.
    public var forwardedHeader = HTTPForwarding.standardHeader
    /// The file that holds settings; `nil`: there is none.
    var settingsFile: String?
    /// The store. A directory is created if missing.
    public var store = StoreAddress.sqlite(directory: "./data")
    /// The file of its password, where it has one: read when the store is asked for the first time, and again when that fails.
    public var storePasswordFile: String?
    /// What this process is called among those that share the store.
    public var node = NodeName(host: Machine.hostName)
    /// `nil`: that of ``adminTokenFile``, or else the one that is kept in the data directory, made at first start.
    public var adminToken: String?
    /// Where it is, unless it is set itself.
    public var adminTokenFile: String?
    /// How long an operator's session lasts.
    public var operatorSession = Duration.seconds(12 * 3_600)
    /// Event loops.
    public var loops = Machine.processors
    /// Unacknowledged messages that a device may have.
    public var window = 20
    /// How long a message may be unacknowledged before its device is disconnected, to get it again.
    public var acknowledgementTimeout = Duration.seconds(300)
    /// How long callers' and operators' connections are kept between two requests.
    public var httpIdleTime = Duration.seconds(75)
    /// Callers' connections that each loop holds.
    public var httpConnections = 16_384
    /// How many connections may come, and from where: of callers and of devices each.
    public var connections = ConnectionAdmission.Limits()
    /// How long a device may take to a complete CONNECT.
    public var connectTimeout = Duration.seconds(10)
    /// How long a request may take in all.
    public var requestTimeout = Duration.seconds(600)
    /// The largest body of a request that is taken in one piece, in bytes.
    public var largestBody = 64 * 1024
    /// The largest head of a request, in bytes.
    public var largestHead = 16 * 1024
    /// The largest packet of a device, in bytes.
    public var largestPacket = 16 * 1024
    /// Receipts of a device in a minute; `nil`: any number.
    public var receiptsPerMinute: Int? = 600
    /// How often a device may connect in a minute before it is slowed; `nil`: any number.
    public var reconnectsPerMinute: Int? = 30
    /// CONNECTs that may fail in a minute.
    public var logins = LoginGuard.Limits()
    /// How long it serves on after it was told to end, and says that it is not ready.
    public var drainDelay = Duration.zero
    /// How many devices a second it disconnects at its end; 0: all at once.
    public var drainRate = 0
    /// How far a caller's `timestamp` may be from the server's clock, either way.
    public var timestampWindow = Duration.seconds(600)
    /// How long a task is kept after it ended.
    public var taskRetention = Duration.seconds(30 * 86_400)
    /// How long audit entries and counts of refusals are kept.
    public var auditRetention = Duration.seconds(180 * 86_400)
    /// Where lines of the audit log go besides the store; `nil`: nowhere.
    public var auditDestination: AuditDestination?
    /// For how long a push waits for the store before it is refused.
    public var storeWait = Duration.seconds(5)
    /// Pushes a second that an app may make which has no bound of its own; 0: any number.
    public var appRate = 0
    /// Pushes a day, likewise.
    public var appDaily = 0
    /// Lines below it are not written.
    public var logLevel = Logger.Level.info
    /// How log lines look.
    public var logFormat = LogFormat.automatic
    /// Whether the loops keep to what libevent's headers promise, although its version is known to do more.
    public var usesPlainLibevent = false

    /// The defaults.
    public init() {}

    /// Whose word about callers and operators counts.
    var forwarding: HTTPForwarding? {
        callersProxies.isEmpty ? nil : HTTPForwarding(from: callersProxies, header: forwardedHeader)
    }

    /// Whether any listener has TLS.
    var hasTLS: Bool { https != nil || mqtts != nil || admins != nil }
}

/// What listeners with TLS show of themselves and negotiate. All are paths of files, read again when they change.
public struct TLSSettings: Hashable, Sendable {
    /// The certificate, and those between it and the root (PEM).
    public var certificate: String?
    /// Its private key (PEM).
    public var key: String?
    /// Who may have signed devices' certificates (PEM); `nil`: no device is asked for one.
    public var clientAuthorities: String?
    /// The keys of session tickets that several servers share; `nil`: this process has its own.
    public var ticketKeys: String?
    /// What is negotiated.
    public var policy = TLSPolicy()
}

/// Where lines of the audit log go.
public enum AuditDestination: Hashable, Sendable {
    /// To a file, by its path.
    case file(String)
    /// To the system's log.
    case systemLog
}

/// How log lines look.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Text on a terminal, JSON lines else.
    case automatic = "auto"
    case text
    case json
}

extension SocketAddress {
    /// An address that stands in this source.
    static func literal(_ host: String, _ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(host: host, port: port) else { preconditionFailure("\(host) is no address") }
        return address
    }
}
