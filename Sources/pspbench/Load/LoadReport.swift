/// What a load has counted.
struct LoadReport: Codable, Sendable {
    /// Messages that were answered well, and those refused.
    var accepted = 0
    var refused = 0
    /// Messages without an answer.
    var unanswered = 0
    /// Messages that were due while every connection waited for an answer.
    var late = 0
    /// From the first message to the last answer, in microseconds.
    var elapsed: Int64 = 0
    /// From sending a message to its answer, in microseconds.
    var latency: Latencies.Summary?
    var buckets: [[UInt64]]?
    /// Why the last one was refused or lost.
    var lastTrouble: String?
}
