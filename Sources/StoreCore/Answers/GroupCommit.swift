internal import Base

/// How long a commit waits for company, as PostgreSQL's `commit_delay` and `commit_siblings` do.
///
/// A commit costs about 140 µs of processor time, however many it answers. Callers who were answered together come again one by
/// one, so that without a wait half of them are late for each commit: measured with 64 callers, 20 share one, and more than 40
/// with it.
package struct GroupCommit {
    /// Fewer callers than this at a time are no crowd, and nobody waits.
    private static let crowd = 8
    /// The longest wait, in nanoseconds.
    private static let longestWait: Int64 = 400_000
    /// What was learned of a crowd holds so long after its commit, in nanoseconds.
    private static let memory: Int64 = 5_000_000

    private var callers = 0
    private var committedAt: Int64 = 0

    /// Nobody was answered yet.
    package init() {}

    /// A commit has answered so many callers, and so many wait already.
    package mutating func committed(answering count: Int, waiting: Int, at now: Int64 = MonotonicClock.nanoseconds) {
        callers = count + waiting
        committedAt = now
    }

    /// How many callers the next commit should wait for, and how many nanoseconds at most; `nil`: it should not wait.
    package func wait(
        having count: Int, at now: Int64 = MonotonicClock.nanoseconds
    ) -> (callers: Int, nanoseconds: Int64)? {
        guard callers >= Self.crowd, count > 0, count < callers else { return nil }
        guard now - committedAt < Self.memory else { return nil }
        return (callers, Self.longestWait)
    }
}
