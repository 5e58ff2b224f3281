/// Why the store did not do what it was asked.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    case refused(Refusal)
    /// Certainly not done: 2302.
    case unavailable(retryAfter: Duration)
    /// 2901: whether it was done is unknown.
    case unknown

    /// One line for a log.
    public var description: String {
        switch self {
        case .refused(let refusal): "refused: \(refusal)"
        case .unavailable: "the store is not available"
        case .unknown: "nobody knows whether it was done"
        }
    }
}
