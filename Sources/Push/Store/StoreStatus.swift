/// How a store fares at one moment.
public struct StoreStatus: Hashable, Sendable {
    /// Whether it takes changes.
    public var health: Health
    /// Calls that it has not begun with.
    public var waiting: Int
    /// How long the oldest call has waited that it has not decided, in nanoseconds.
    public var longestWait: Int64
    /// Acknowledgements that are not counted since it was opened, as what they name cannot be read or written.
    public var uncounted: Int
    /// What it has written of the audit log since it was opened.
    public var audit = AuditCounts()

    /// As of one moment.
    public init(health: Health, waiting: Int, longestWait: Int64, uncounted: Int = 0) {
        self.health = health
        self.waiting = waiting
        self.longestWait = longestWait
        self.uncounted = uncounted
    }
}

/// How much of the audit log was written.
public struct AuditCounts: Hashable, Sendable {
    /// Entries that were written.
    public var entries = 0
    /// Entries that are missing, since they found no room while nothing could be written.
    public var lost = 0
    /// Refusals that were counted.
    public var refusals = 0

    /// Nothing.
    public init() {}
}

/// What a store takes of the disk; sizes are in bytes.
public struct StorageUse: Hashable, Sendable {
    /// The file of the database.
    public var database: Int64
    /// The log of changes that are not in that file yet.
    public var log: Int64
    /// How long that log has grown since it began anew, or since the store was opened, in nanoseconds.
    public var logAge: Int64
    /// What is left on the disk.
    public var free: Int64

    /// As of one moment.
    public init(database: Int64, log: Int64, logAge: Int64, free: Int64) {
        self.database = database
        self.log = log
        self.logAge = logAge
        self.free = free
    }
}
