public import Base
internal import Crypto
public import Libevent
public import Logging
public import Push
public import Web

/// The operators' interface: `/psp/admin/…` and the probes. One is enough for a process, on any loop.
///
/// ```swift
/// let admin = AdminFront(on: loop, store: port, process: process, configuration: .init(token: token, log: log))
/// try await admin.start(listening: socket)
/// …
/// await admin.announceEnd()       // callers and devices are sent away
/// await admin.shutdown()
/// ```
public actor AdminFront: APIFront {
    /// What an operator may set.
    public struct Configuration: Sendable {
        /// What `Authorization: Bearer` must say.
        public var token: String
        /// What the listener bears; an import may be larger.
        public var limits = HTTPLimits(maxConnections: 256)
        /// The proxies whose word about an operator's address counts.
        public var forwarding: HTTPForwarding?
        /// Where the failures that are not the caller's fault are told.
        public var log: Logger

        /// The defaults.
        public init(token: String, log: Logger) {
            self.token = token
            self.log = log
        }
    }

    /// What a route may ask of a caller.
    public enum Access: Sendable {
        /// Nothing: probes.
        case anyone
        /// The bearer token.
        case `operator`
    }

    /// Who calls.
    public enum Caller: Sendable {
        /// Somebody of whom nothing was asked.
        case anyone
        case `operator`(OperatorCall.Caller)
    }

    /// Where it lives.
    public let loop: EventLoop
    /// The loop's port of the store.
    public let store: any StorePort
    /// Its listener.
    public let server: GracefulServer
    let process: ServedProcess
    let log: Logger
    /// Who was turned away, until that is handed to the store.
    var refusals = RefusalBook()
    /// Which questions are recorded.
    var auditedReads = AuditedReads()
    /// Who follows traces.
    var followers: [Int: EventStream] = [:]
    var nextFollower = 0
    private let token: String
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

    /// The bearer token, once (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1), compared in constant time.
    public func admit(
        _ headers: RequestHeaders, to access: Access, calling call: Call, from client: () -> IPAddress?
    ) throws(Rejection) -> Caller {
        guard access == .operator else { return .anyone }
        let wrongToken = Rejection.unauthorized(scheme: "Bearer")
        guard headers.authorization.count == 1, let header = headers.authorization.first else { throw wrongToken }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", ConstantTime.equal(String(parts[1]), token) else {
            throw wrongToken
        }
        return .operator(.installation)
    }
}

extension Request where Service == AdminFront {
    /// On whose behalf it is made, and from where.
    /// - Throws: ``Rejection/unauthorized(scheme:)`` on a route that asks nothing of a caller.
    var operatorCall: OperatorCall {
        get throws(Rejection) {
            guard case .operator(let caller) = caller else { throw .unauthorized(scheme: "Bearer") }
            return OperatorCall(caller, client: exchange.clientAddress, requestID: id)
        }
    }
}
