/// Why the store did not do what it was asked.
public enum StoreError: Error, Hashable, Sendable {
    case refused(Refusal)
    /// Certainly not done: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901: whether it was done is unknown.
    case unknown
}
