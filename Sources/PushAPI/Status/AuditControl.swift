public import Push

/// What the operators' interface asks of the process about the audit log.
public struct AuditControl: Sendable {
    /// An entry was recorded, or what it says was done: for whoever reads along. With the time of day, Unix milliseconds.
    public var tell: @Sendable (AuditEntry, Int64) -> Void
    /// Hands the store all refusals that were counted, and returns when it has them, or cannot take them.
    public var flush: @Sendable () async -> Void

    /// A process that does so.
    public init(
        tell: @escaping @Sendable (AuditEntry, Int64) -> Void = { _, _ in }, flush: @escaping @Sendable () async -> Void = {}
    ) {
        self.tell = tell
        self.flush = flush
    }
}
