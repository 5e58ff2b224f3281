internal import Libevent
internal import Postgres

/// The calls that ask how far every node has applied the log: one at a time, however many wait for it.
struct AppliedCalls {
    /// How many have begun, and how many of them have ended.
    var (begun, ended) = (0, 0)
    /// What the last one was answered with.
    var outcome = PostgresOutcome.unavailable(.notReady(nil))
    /// Rung at the end of each.
    let bell: Bell

    init(on loop: EventLoop) { bell = Bell(on: loop) }
}
