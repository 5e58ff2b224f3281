public import Crypto
public import Libevent
public import Logging
public import Push
public import Web

/// The operators' interface: `/psp/admin/…` and the probes. One is enough for a process, on any loop.
///
/// ```swift
/// let admin = AdminFront(on: loop, store: port, process: process, configuration: .init(token: token, log: log))
/// let snapshot = try await port.subscribe { event in admin.assumeIsolated { $0.apply(event) } }
/// await admin.seed(snapshot)
/// try await admin.start(listening: socket)
/// …
/// await admin.announceEnd()       // callers and devices are sent away
/// await admin.shutdown()
/// ```
public actor AdminFront: APIFront {
    /// What an operator may set.
    public struct Configuration: Sendable {
        /// The installation's token: who shows it as `Authorization: Bearer` may do everything.
        public var token: String
        /// How long an operator's session lasts.
        public var sessionLength = Duration.seconds(12 * 3_600)
        /// What a password's hash costs.
        public var passwordCost = PasswordVerifier.Cost.usual
        /// Whose log-ins failed.
        public var logins = LoginGuard(LoginGuard.Limits(perAddress: Self.usualFailuresOfAddress, perName: Self.usualFailures))
        /// How many log-ins of one address under one name may fail in a minute, where nothing is set.
        public static let usualFailures = 10
        /// How many of one address under whatever names.
        public static let usualFailuresOfAddress = 60
        /// What the listener bears; an import may be larger.
        public var limits = HTTPLimits(maxConnections: 256)
        /// The proxies whose word about an operator's address counts.
        public var forwarding: HTTPForwarding?
        /// Whether the process's loops have begun.
        public var readiness = Readiness()
        /// Where the failures that are not the caller's fault are told.
        public var log: Logger

        /// The defaults.
        public init(token: String, log: Logger) {
            self.token = token
            self.log = log
        }
    }

    /// Where it lives.
    public let loop: EventLoop
    /// The loop's port of the store.
    public let store: any StorePort
    /// Its listener.
    public let server: GracefulServer
    /// The process's.
    public let readiness: Readiness
    let process: ServedProcess
    let log: Logger
    /// Who was turned away, until that is handed to the store.
    var refusals = RefusalBook()
    /// Which questions and refusals are recorded.
    var recorded = AuditThrottle()
    /// Of which of the store's own refusals whoever reads along is told.
    var told = AuditThrottle()
    /// In which minute it was told last how many were left out of the two.
    var leftOutTold: Int64 = 0
    /// Who operates the server.
    var operators = KnownOperators()
    let logins: LoginGuard
    let passwords = PasswordWorker()
    let passwordCost: PasswordVerifier.Cost
    /// Stands for the password of a name that nobody has: no password is right, and it takes the time of one that is wrong.
    let decoy: PasswordVerifier
    /// In milliseconds.
    let sessionLength: Int64
    /// Who follows traces.
    var followers: [Int: Follower] = [:]
    var nextFollower = 0
    /// The installation's.
    let token: String
    private var hasEndBegun = false

    /// The loop: a request is answered on the thread that read it.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Nothing is served before `start(listening:)`.
    /// - Parameters:
    ///   - store: the loop's port: its answers come back to this loop.
    ///   - process: what it belongs to.
    public init(
        on loop: EventLoop, store: any StorePort, process: ServedProcess, configuration: Configuration
    ) {
        self.loop = loop
        self.store = store
        self.process = process
        log = configuration.log
        token = configuration.token
        logins = configuration.logins
        passwordCost = configuration.passwordCost
        decoy = PasswordVerifier(cost: configuration.passwordCost, salt: Random.bytes(16), hash: Random.bytes(32))
        sessionLength = configuration.sessionLength.components.seconds * 1_000
        readiness = configuration.readiness
        server = GracefulServer(
            for: Self.routes, limits: configuration.limits, forwarding: configuration.forwarding, log: configuration.log)
    }

    /// The server begins to end. This listener goes on, so that supervisors learn that it is alive, and balancers that it is not
    /// ready; it ends last.
    public func announceEnd() { hasEndBegun = true }

    /// Since ``announceEnd()``.
    public var isEnding: Bool { hasEndBegun || server.isShuttingDown }

    /// Operators may.
    public static var tellsCauses: Bool { true }

    /// Whoever logs in is one: bodies that drip in must not keep operators out.
    public func isStranger(_ caller: Caller) -> Bool { if case .anyone = caller { true } else { false } }
}
