/// How many connections of a server were closed because their peer was too slow.
public struct HTTPTimeouts: Hashable, Sendable {
    /// Requests that did not come in time, or not fast enough.
    public var requests: UInt64 = 0
    /// Answers that were not read fast enough.
    public var answers: UInt64 = 0

    /// None yet.
    public init() {}

    /// Adds another server's.
    public static func += (sum: inout HTTPTimeouts, other: HTTPTimeouts) {
        sum.requests += other.requests
        sum.answers += other.answers
    }
}
