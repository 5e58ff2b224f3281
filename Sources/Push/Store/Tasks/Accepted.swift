/// The answer to a push.
public enum Accepted: Sendable, Equatable {
    /// Durable as the store promises.
    case stored(TaskID)
    /// The first answer to this `out_biz_no`.
    case repeated(TaskID)
    /// Certainly not stored.
    case refused(Refusal)
    /// Certainly not stored: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901; a repeat with the same `out_biz_no` is safe.
    case unknown
}
