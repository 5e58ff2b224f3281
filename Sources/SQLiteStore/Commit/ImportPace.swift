internal import Base

/// How much of an import is done at a time, and how much time is left to others in between.
///
/// A slice is sized by what the last one took, with its commit, whose cost is the pages that it dirtied all over the directory's
/// indexes. How long others are left to themselves after it depends on how long they were seen to wait: as long as nobody waits
/// longer than ``limit``, a slice's own length, so that an import among others takes a small multiple of its time alone; where
/// somebody did, twice as long as before.
struct ImportPace {
    /// What a slice and its commit should take, in nanoseconds: beside others, and while nobody else is there.
    private static let budget: (beside: Int64, alone: Int64) = (3_000_000, 8_000_000)
    /// Nobody else is there when no job has come for so many nanoseconds.
    private static let quiet: Int64 = 100_000_000
    /// How long others may wait in the queue, in nanoseconds. On a disk that needs longer for a commit of their own: twice that.
    private static let limit: Int64 = 5_000_000
    /// How much time is left to others, as a multiple of what a slice took; and what becomes of it by a slice beside which nobody
    /// waited so long.
    private static let rest: (least: Double, most: Double, decay: Double) = (1, 16, 0.9)

    /// Fewer steps than these cost about as much.
    private static let smallest = 64
    private static let largest = 8_192

    /// How many steps the next slice takes: changed rows of the file.
    private(set) var size = smallest
    /// When it may begin, in monotonic nanoseconds.
    private(set) var next: Int64 = 0
    /// When others had had the time that is theirs after the last slice.
    private var due: Int64 = 0
    private var rest = Self.rest.least
    private var lastSlice: Int64 = 0

    /// When others were served last.
    private var lastServed: Int64 = 0
    /// The longest that any of them has waited since the last slice.
    private var longestWait: Int64 = 0
    /// What it takes to decide and commit their jobs, about.
    private var usualCommit: Int64 = 0

    /// Even where somebody always waits, or a checkpoint does not end, an import goes on after so many nanoseconds.
    private static let longestYield: (waiting: Int64, checkpoint: Int64) = (5_000_000, 250_000_000)
    /// How soon to look again whether it may go on.
    private static let look: Int64 = 1_000_000

    /// Whether others come first: callers who wait, or a checkpoint. What is written beside one would be left to the writer to
    /// move, and each push would wait behind both.
    func yields(at now: Int64, toWaiting isAwaited: Bool, toCheckpoint isBusy: Bool) -> Bool {
        (isAwaited && now - due < Self.longestYield.waiting) || (isBusy && now - lastSlice < Self.longestYield.checkpoint)
    }

    /// Others are first.
    mutating func wait(at now: Int64) { next = now + Self.look }

    /// Jobs of others were decided and committed, which took from `start` on. The first of them had waited so long before.
    mutating func served(after waited: Int64, since start: Int64, at now: Int64 = MonotonicClock.nanoseconds) {
        lastServed = now
        longestWait = max(longestWait, waited)
        usualCommit += (now - start - usualCommit) / 8
    }

    /// A slice that began at `start` is committed.
    mutating func finished(_ count: Int, since start: Int64, at now: Int64 = MonotonicClock.nanoseconds) {
        let took = max(now - start, 1)
        let isAlone = now - lastServed > Self.quiet
        let budget = isAlone ? Self.budget.alone : Self.budget.beside
        // A disk that was slow once halves it; a fast one doubles it at most.
        let fitting = Int(Int64(max(count, 1)) * budget / took)
        size = min(max(fitting, size / 2, Self.smallest), size * 2, Self.largest)
        let isLong = longestWait > max(Self.limit, 2 * usualCommit)
        rest = isLong ? min(2 * rest, Self.rest.most) : max(rest * Self.rest.decay, Self.rest.least)
        due = isAlone ? now : now + Int64(rest * Double(took))
        next = due
        (lastSlice, longestWait) = (now, 0)
    }
}
