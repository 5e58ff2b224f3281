public import Base
public import Push
internal import StoreCore

extension SQLiteStore {
    /// How a store behaves.
    public struct Options: Sendable {
        /// What the process is called: the node of every device that is connected.
        public var node = NodeName(host: "")
        /// How long a task is kept after it ended, in milliseconds.
        public var taskRetention: Int64 = 30 * 24 * 3_600_000
        /// How long audit entries and counts of refusals are kept, in milliseconds.
        public var auditRetention: Int64 = 180 * 24 * 3_600_000
        /// How often the log is searched for tasks that are to be forgotten, in milliseconds.
        public var sweepInterval: Int64 = 3_600_000
        /// How much an app may push that has no bound of its own.
        public var quota = PushQuota()
        /// For how long a push waits to be decided, in milliseconds: one that would wait longer is refused, and may come again.
        public var longestWait: Int64 = 5_000
        /// By which it keeps store time.
        public var clocks = SystemClocks()
        /// Told what an operator should know: a disk that is full or fails, a checkpoint that does not work.
        public var log: @Sendable (String) -> Void = { _ in }

        /// Sizes and pauses that nobody but a test has a reason to change.
        var tuning = Tuning()

        /// Keeps tasks 30 days and reads the system's clocks.
        public init() {}
    }

    /// What was measured to be right, in one place.
    struct Tuning: Sendable {
        /// A generation of the tail is merged when it holds this many rows.
        var mergeThreshold = 65_536
        /// How long a tail with few rows waits to be merged while nothing is to do, in milliseconds.
        var mergePause = 1_000
        /// Frames (4 KiB) of the write-ahead log above which it is moved into the file. The more, the more often a page has been
        /// written again by then, and is moved once: beside an import the checkpoints took a third of the time that they took
        /// with 8,192.
        var checkpointThreshold = 32_768
        /// A loop that is further behind than this, in bytes, gets a gap instead of more.
        var backlogLimit = 64 << 20
        /// The most steps of work for the directory that one transaction begins, and after which it takes no more
        /// acknowledgements: some 5 ms each.
        var steps = 2_048
        /// From when on the store does not keep up.
        var lateness = Lateness.Limits()
        /// How many rows of an older directory are changed in one transaction at its first start.
        var rowsAtATime = 10_000
        /// How many acknowledgements are kept while nothing can be written; some 50 MB with what they change.
        var mostFacts = 131_072
        /// Whether the next slice of what follows from a change of the directory may be done: a test holds them back.
        var mayFollowUp: @Sendable () -> Bool = { true }
        /// What a test lets happen at the one point of a read at which rows could be missed.
        var betweenTailAndSnapshot: @Sendable () -> Void = {}
        /// Between two slices of a sweep, in milliseconds: no push waits for more than one.
        var sweepPause = 20
    }
}
