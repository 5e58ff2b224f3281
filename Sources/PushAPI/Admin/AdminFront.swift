internal import Crypto
public import Libevent
public import Logging
public import Push

/// The operators' interface: `/psp/admin/…` and the probes. One is enough for a process, on any loop.
///
/// ```swift
/// let admin = AdminFront(on: loop, store: port, configuration: .init(token: token, log: log))
/// try await admin.start(listening: socket)
/// …
/// await admin.shutdown()
/// ```
public actor AdminFront: Front {
    /// What an operator may set.
    public struct Configuration: Sendable {
        /// What `Authorization: Bearer` must say.
        public var token: String
        /// What the listener bears; its sizes are the interface's whatever is said here. An import takes the time that it takes.
        public var limits = HTTPLimits(transferTimeout: .seconds(300), maxConnections: 256)
        /// Where the answers that are not the caller's fault are told.
        public var log: Logger

        /// The defaults.
        public init(token: String, log: Logger) {
            self.token = token
            self.log = log
        }
    }

    let loop: EventLoop
    let store: any StorePort
    let desk: Desk
    private let token: String
    private let limits: HTTPLimits

    /// The loop: a request is answered on the thread that read it.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Nothing is served before ``start(listening:)``.
    /// - Parameter store: this loop's own door: its answers come back to this loop.
    public init(on loop: EventLoop, store: any StorePort, configuration: Configuration) {
        self.loop = loop
        self.store = store
        token = configuration.token
        limits = configuration.limits.bounded(maxBodyBytes: Route<AdminFront>.Body.lines.limit)
        desk = Desk(log: configuration.log)
    }

    /// Serves what comes in on the socket, which is taken.
    /// - Throws: what libevent cannot make.
    public func start(listening socket: ListeningSocket) throws(LibeventError) {
        try desk.open(socket, on: loop, limits: limits) { [unowned self] exchange in receive(exchange) }
    }

    /// Accepts nothing more, answers what is in hand with `Connection: close`, and returns when nothing is.
    /// - Parameter patience: how long a peer may take to send the rest of a request or to read its answer.
    public func shutdown(patience: Duration = .seconds(5)) async {
        await desk.close(on: loop, patience: patience)
    }

    /// The bearer token, once (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1), compared in constant time.
    func admit(_ headers: RequestHeaders, to access: Route<AdminFront>.Access) throws(Refusal) {
        guard access == .authenticated else { return }
        guard headers.authorization.count == 1, let header = headers.authorization.first else { throw Self.wrongToken }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", ConstantTime.equal(String(parts[1]), token) else {
            throw Self.wrongToken
        }
    }

    private static var wrongToken: Refusal { Refusal(.wrongToken, field: "Authorization") }
}
