public import Logging
public import Push
public import Web

/// What the operators' interface asks of the process that it belongs to.
public struct ServedProcess: Sendable {
    /// How the whole server fares.
    public var status: @Sendable () async -> ServerStatus
    /// The nodes that share its store; itself, where none can.
    public var nodes: @Sendable () async throws(StoreError) -> [NodeReport]
    /// Everything that is measured, in the text format of Prometheus.
    public var metrics: @Sendable (OperatorFigures) async -> [UInt8]

    /// From what level on its log is written.
    public var logLevel: @Sendable () -> Logger.Level
    /// Has it written from another on, until it ends.
    public var setLogLevel: @Sendable (Logger.Level) -> Void

    /// What it tells of single devices, users, apps and addresses.
    public var tracing: TraceControl

    /// What it does of the audit log.
    public var audit: AuditControl

    /// Counts a push that an operator has made with all others.
    public var pushed: @Sendable (Interface, Accepted) -> Void

    /// A process that answers so.
    public init(
        status: @escaping @Sendable () async -> ServerStatus,
        nodes: @escaping @Sendable () async throws(StoreError) -> [NodeReport],
        metrics: @escaping @Sendable (OperatorFigures) async -> [UInt8],
        logLevel: @escaping @Sendable () -> Logger.Level, setLogLevel: @escaping @Sendable (Logger.Level) -> Void,
        tracing: TraceControl, audit: AuditControl = AuditControl(),
        pushed: @escaping @Sendable (Interface, Accepted) -> Void = { _, _ in }
    ) {
        self.status = status
        self.nodes = nodes
        self.metrics = metrics
        self.logLevel = logLevel
        self.setLogLevel = setLogLevel
        self.tracing = tracing
        self.audit = audit
        self.pushed = pushed
    }
}

/// What the operators' listener knows of itself.
public struct OperatorFigures: Sendable {
    /// Its connections.
    public var connections: Int
    /// Its requests.
    public var requests: RequestFigures
    /// Whether it says that pushes are taken.
    public var isReady: Bool

    /// As of one moment.
    public init(connections: Int, requests: RequestFigures, isReady: Bool) {
        self.connections = connections
        self.requests = requests
        self.isReady = isReady
    }
}
