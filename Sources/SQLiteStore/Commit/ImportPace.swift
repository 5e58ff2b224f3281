internal import Base

/// How much of an import is done at a time, so that a push beside it waits for one short transaction at most.
///
/// A slice is sized by what the last one took, with its commit, whose cost is the pages that it dirtied all over the directory's
/// indexes; and several times what it took is left to others before the next (100,000 devices then take 70 s; alone, 2).
struct ImportPace {
    /// What a slice and its commit should take, in nanoseconds: beside others, and while nobody else is there.
    private static let budget: (beside: Int64, alone: Int64) = (1_000_000, 8_000_000)
    /// Nobody else is there when no job has come for so many nanoseconds.
    private static let quiet: Int64 = 100_000_000

    /// How much time is left to others beside them, as a multiple of what a slice took: of pushes beside an import, one in a
    /// hundred must not meet a slice that was slow, or the checkpoint of what it wrote (a sync of the log takes 5 ms instead of
    /// 0.3 while one is synced).
    private static let rest: Int64 = 16

    /// Fewer than these cost about as much.
    private static let smallest = 24
    static let largest = 4_096

    /// How many changes the next slice applies.
    private(set) var size = smallest
    /// When it may begin, in monotonic nanoseconds.
    private(set) var next: Int64 = 0
    private var lastJob: Int64 = 0
    private var lastSlice: Int64 = 0

    /// Even where somebody always waits, or a checkpoint does not end, an import goes on after so many nanoseconds.
    private static let longestWait: (waiting: Int64, checkpoint: Int64) = (20_000_000, 250_000_000)
    /// How soon to look again whether it may go on.
    private static let look: Int64 = 1_000_000

    /// Whether others come first: callers who wait, or a checkpoint. What is written beside one would be left to the writer to
    /// move, and each push would wait behind both.
    func yields(at now: Int64, toWaiting isAwaited: Bool, toCheckpoint isBusy: Bool) -> Bool {
        let waited = now - lastSlice
        return (isAwaited && waited < Self.longestWait.waiting) || (isBusy && waited < Self.longestWait.checkpoint)
    }

    /// Others are first.
    mutating func wait(at now: Int64) { next = now + Self.look }

    /// Somebody else's job was decided.
    mutating func sawJob(at now: Int64 = MonotonicClock.nanoseconds) { lastJob = now }

    /// A slice that began at `start` is committed.
    mutating func finished(_ count: Int, since start: Int64, at now: Int64 = MonotonicClock.nanoseconds) {
        let took = max(now - start, 1)
        lastSlice = now
        let isAlone = now - lastJob > Self.quiet
        let budget = isAlone ? Self.budget.alone : Self.budget.beside
        // A disk that was slow once halves it; a fast one doubles it at most.
        let fitting = Int(Int64(max(count, 1)) * budget / took)
        size = min(max(fitting, size / 2, Self.smallest), size * 2, Self.largest)
        next = isAlone ? now : now + Self.rest * took
    }
}
